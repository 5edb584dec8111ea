"""Whether all links within the built documentation lead somewhere.

python docs/check_links.py docs/_build
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Links(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.links.append(value)
            if name in ("id", "name"):
                self.places.add(value)


def broken(root):
    """Yield each link that leads nowhere, with its page."""
    found = (
        path for path in sorted(root.rglob("*.html")) if "_static" not in path.parts
    )  # templates of the theme
    pages = {path.resolve(): Links(path) for path in found}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield path, link
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                yield path, link


if __name__ == "__main__":
    root = Path(sys.argv[1])
    found = [f"{path.relative_to(root.resolve())}: {link}" for path, link in broken(root)]
    if not any(root.glob("index.html")):
        found = [f"{root} has no index.html: build the documentation first"]
    print("\n".join(found) or "all links within the documentation lead somewhere")
    sys.exit(bool(found))
