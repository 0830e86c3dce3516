"""One page of HTML that needs nothing else: no script, no font, no file, no net.

What lives here: the frame of a report's page and its pieces, whose texts are escaped where they say
so. What does not: what a report says.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:60rem;margin:2rem auto}
body{padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25}h2{margin-top:2.4rem;border-bottom:2px solid #0072B2}
h3{margin:1.6rem 0 .3rem;font-size:1.05rem}
table{border-collapse:collapse;margin:.6rem 0;font-size:.92rem}
th,td{padding:.22rem .7rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.caution{border:2px solid #D55E00;border-left-width:.6rem;padding:.6rem 1rem;margin:1rem 0}
img{max-width:100%;height:auto}figure{margin:1rem 0}figcaption{font-size:.88rem;color:#444}
dt{font-weight:600}dd{margin:0 0 .4rem 1rem}code{font-size:.85em;overflow-wrap:anywhere}
.scroll{overflow-x:auto}@media print{h2{break-after:avoid}figure,tr{break-inside:avoid}}
"""


def whole_page(title: str, parts: Iterable[str]) -> str:
    """Return a page of a title and pieces of HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def listed(items: Iterable[str]) -> str:
    """Return a list; items are HTML."""
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], texts: int | Sequence[bool] = 1
) -> str:
    """Return a table of texts and numbers; escapes.

    Parameters
    ----------
    texts
        How many of the first columns are texts, the others being numbers; or of each whether it is.
    """
    is_text = [k < texts for k in range(len(head))] if isinstance(texts, int) else texts

    def cells(row: Sequence[object], tag: str) -> str:
        shown = (
            f"<{tag}{'' if is_text[k] else chr(32) + 'class=n'}>{escape(str(cell))}</{tag}>"
            for k, cell in enumerate(row)
        )
        return "<tr>" + "".join(shown) + "</tr>"

    body = "".join(cells(row, "td") for row in rows)
    return f'<div class="scroll"><table>{cells(head, "th")}{body}</table></div>'


def figure(png: bytes, words: str, credit: str = "") -> str:
    """Return a picture with the words under it; escapes."""
    data = b64encode(png).decode("ascii")
    return (
        f'<figure><img alt="{escape(words)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(words)} {escape(credit)}</figcaption></figure>"
    )


def signed(number: float, digits: int = 1) -> str:
    """Return a number with its sign."""
    return f"{number:+,.{digits}f}"


def percent(share: float) -> str:
    """Return a share of 1 in per cent."""
    return f"{100 * share:.1f} %"


def minutes(seconds: float | None) -> str:
    """Return seconds in minutes; None is never."""
    return "never" if seconds is None else f"{seconds / 60:.1f} min"
