"""Whether the built pages look right in a browser: no clipped table, no sideways scroll, nothing on its console.

    python docs/check_pages.py docs/_build [PAGE ...]

Each page is opened by headless Chromium in frames of 1400 and 390 pixels. A table may be wider than a narrow frame where it
scrolls by itself; in a wide frame it has to fit. Without Chromium nothing is checked, and that is said.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WIDTHS = 1400, 390
NAMES = "chromium", "chromium-browser", "google-chrome", "chrome"
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=600000"
).split()
# How the browser's own errors begin; the theme tells of its doings on the console too.
ERRORS = r"Uncaught|Failed|Refused|Access|Error|Not allowed"
# Loads each page in frames of the same origin, and writes what is wrong as JSON.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><body><pre id="said"></pre><script>
const pages = PAGES, widths = WIDTHS, said = [];
function scrolls(box) { return /auto|scroll/.test(getComputedStyle(box).overflowX) && box.tagName !== "HTML" && box.tagName !== "BODY"; }
function look(page, width, view) {
  const root = view.document.documentElement;
  const wrong = text => said.push(page + " at " + width + ": " + text);
  if (root.scrollWidth > root.clientWidth + 1) {
    const out = [...view.document.body.querySelectorAll("*")].filter(one => {
      for (let box = one; box; box = box.parentElement) if (scrolls(box)) return false;
      return one.getBoundingClientRect().right > root.clientWidth + 1; });
    const last = out.length ? out[out.length - 1] : root;
    wrong("scrolls sideways, " + root.scrollWidth + " pixels: " + last.tagName + "." + last.className);
  }
  for (const table of view.document.querySelectorAll("table")) {
    for (let box = table.parentElement; box && box !== root; box = box.parentElement) {
      if (table.getBoundingClientRect().right <= box.getBoundingClientRect().right + 1) continue;
      if (!scrolls(box) && getComputedStyle(box).overflowX !== "visible") wrong("a table is clipped by " + box.className);
      if (scrolls(box)) { if (width >= 1000) wrong("a table has no room in " + box.className); break; }
    }
  }
}
async function all() {
  for (const page of pages) for (const width of widths) {
    const frame = document.createElement("iframe");
    frame.style.cssText = "border:0;height:900px;width:" + width + "px";
    frame.src = "/" + page;
    await new Promise(done => { frame.onload = done; document.body.append(frame); });
    look(page, width, frame.contentWindow);
    frame.remove();
  }
  document.getElementById("said").textContent = JSON.stringify({seen: pages.length, wrong: said});
}
all();
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    """The folder and the harness, without a line for each request."""

    harness = ""

    def do_GET(self):
        if self.path != "/__check__.html":
            return super().do_GET()
        body = self.harness.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def browser():
    """The path of Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def wrong(root, pages=None):
    """What is wrong with the pages of a folder, a line each.

    Parameters
    ----------
    root : Path
    pages : list of str, or None
        Names in the folder; None for all but those of the theme.
    """
    if pages is None:
        found = (path.relative_to(root) for path in sorted(root.rglob("*.html")))
        pages = [path.as_posix() for path in found if path.parts[0] not in ("_static", "_sources")]
    harness = HARNESS.replace("PAGES", json.dumps(pages), 1).replace("WIDTHS", json.dumps(WIDTHS), 1)
    handler = type("Pages", (Quiet,), {"harness": harness})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            address = f"http://127.0.0.1:{server.server_port}/__check__.html"
            line = [browser(), *QUIET, f"--user-data-dir={profile}", "--dump-dom", address]
            done = subprocess.run(line, capture_output=True, encoding="utf-8", errors="replace", timeout=600)
    finally:
        server.shutdown()
        server.server_close()
    said = re.search(r'<pre id="said">(\{.*?\})</pre>', done.stdout, re.DOTALL)
    if not said:
        return [f"the browser did not come to an end: {done.stderr[-300:]}"]
    console = re.findall(r'CONSOLE[:(].*?"(.*)", source: (\S+)', done.stderr)
    errors = [f"{where}: on the console: {text}" for text, where in console if re.match(ERRORS, text)]
    return [*json.loads(said[1])["wrong"], *errors]


def main(root, *pages):
    if browser() is None:
        print("no Chromium is here: the pages were not looked at in a browser")
        return 0
    lines = wrong(Path(root), list(pages) or None)
    print("\n".join(lines) or "the pages fit, wide and narrow")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
