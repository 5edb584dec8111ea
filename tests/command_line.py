"""The command as the tests run it, in this process."""

import json

from click.testing import CliRunner

from ckmeans.command.cli import cli


def run(*words, code=0, **options):
    result = CliRunner().invoke(cli, [str(word) for word in words], **options)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def report(*words, **options):
    return json.loads(run(*words, "--json", "-", **options).stdout)


def put(content, name="data.csv"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(content)
    return name
