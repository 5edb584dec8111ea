"""Draw docs/fit-iris.svg: what `ckmeans fit iris -k 3 --prove` prints, as it is. Run: python docs/make_picture.py"""

import io
import re
import shlex
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from ckmeans.command import cli, terminal

COMMAND = "ckmeans fit iris -k 3 --prove"
WIDTH = 12.2  # of a letter, in units of the picture
# Without the font that rich has browsers fetch from elsewhere: each reader's own will do.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace",
    "font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
)
THEME = TerminalTheme(
    (250, 250, 248),
    (45, 49, 56),
    [
        (45, 49, 56),
        (190, 50, 50),
        (30, 130, 70),
        (165, 105, 0),
        (40, 90, 170),
        (140, 70, 150),
        (0, 115, 130),
        (120, 125, 130),
    ],
)


def moved(match):
    """A text that begins where its first letter stands: some programs drop the blanks before it."""
    x, between, length, rest, blanks = match.groups()
    indent = WIDTH * blanks.count("&#160;")
    return f'x="{float(x) + indent:g}"{between} textLength="{float(length) - indent:g}"{rest}>'


def main():
    """Run the command with a console that records, and export what it showed."""
    console = Console(
        record=True,
        width=77,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        highlight=False,
    )
    console.is_interactive = False  # no progress bar in a picture
    console.print(Text.assemble(("$ ", "dim"), (COMMAND, "bold")))
    terminal.stdout = terminal.stderr = lambda: console
    cli.cli(shlex.split(COMMAND)[1:], standalone_mode=False)
    console.print()
    path = Path(__file__).with_name("fit-iris.svg")
    picture = console.export_svg(title="ckmeans", theme=THEME, code_format=FORMAT, unique_id="fit-iris")
    picture = re.sub(
        r'x="([\d.]+)"([^>]*) textLength="([\d.]+)"([^>]*)>((?:&#160;)+)(?=[^<&])', moved, picture
    )
    path.write_text(
        "\n".join(line.rstrip() for line in picture.splitlines() if line.strip()) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
