"""Study replay: a past period's calls, decided by the service's own rules under a release."""
