#!/usr/bin/env python3
"""recipes.py REPOSITORY AKIT TOOLS: checks the recipes of docs/ci/ with the tools of their platforms.

Pipelines are validated with the JSON schemas of check-jsonschema, and this repository's hook runs with pre-commit; both
are installed from PyPI once, into their own folder. Workflows are checked by TOOLS/check_ci_files.sh with this
repository's action in place of the published one, which also checks the names of inputs and outputs."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import venv

SCHEMAS = {"azure": "vendor.azure-pipelines", "buildkite": "vendor.buildkite", "circleci": "vendor.circle-ci"}

repository, akit, judges = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
cache = pathlib.Path(os.environ.get("AKIT_VERIFY_CACHE", pathlib.Path.home() / ".cache/akit-verify"))
tools = cache / "recipes"
if not (tools / "bin/pre-commit").exists():
    venv.create(tools, with_pip=True)
    subprocess.run([tools / "bin/pip", "install", "--quiet", "check-jsonschema==0.39.0", "pre-commit==4.7.0"], check=True)


def run(*command, status=0, folder=repository, **variables):
    path = f"{tools / 'bin'}:{akit.parent}:{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path, **variables}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != status:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode} (expected {status})\n{done.stdout}")
    return done.stdout


with tempfile.TemporaryDirectory() as name:
    work = pathlib.Path(name)
    for recipe, schema in SCHEMAS.items():
        text = (repository / f"docs/ci/{recipe}.md").read_text()
        blocks = re.findall(rf"^```yml in {recipe}\n(.*?)^```", text, re.M | re.S)
        assert blocks, recipe
        # Some patterns of these schemas are invalid with the Unicode flag.
        options = ["--regex-variant", "nonunicode", "--builtin-schema", schema]
        for block in blocks:
            (work / f"{recipe}.yml").write_text(block)
            run("check-jsonschema", *options, work / f"{recipe}.yml")
            # A schema must also refuse something.
            broken = re.sub(r"^(steps|jobs):", "stepz: 1\n\\1: 5\n_:", block, count=1, flags=re.M)
            (work / "broken.yml").write_text(broken)
            said = run("check-jsonschema", *options, work / "broken.yml", status=1)
            assert "Schema validation errors" in said, said

    # The GitLab job with its defaults, and the pipelines of its page.
    head, job = (repository / "templates/akit.yml").read_text().split("\n---\n")
    defaults = dict(re.findall(r"^    ([\w-]+):\n(?:      \w+: [^d].*\n|      description: .*\n)*      default: (.*?)(?: #.*)?$", head, re.M))
    job = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: defaults[found[1]].strip('"'), job)
    page = (repository / "docs/ci/gitlab.md").read_text()
    pipelines = [job, *re.findall(r"^```yaml pipeline\n(.*?)^```", page, re.M | re.S)]
    assert len(pipelines) >= 6, len(pipelines)
    for more, status in (("", 0), ("other: { script: x, stagee: y }\n", 1)):
        files = [work / f"gitlab-{number}.yml" for number in range(len(pipelines))]
        for file, text in zip(files, pipelines):
            file.write_text(text + more)
        run("check-jsonschema", "--regex-variant", "nonunicode", "--builtin-schema", "vendor.gitlab-ci", *files, status=status)

    # The workflows of the pages, and the README's step in a workflow.
    pages = work / "pages"
    (pages / ".github/workflows").mkdir(parents=True)
    run("git", "init", "--quiet", folder=pages)
    shutil.copy2(repository / "action.yml", pages)
    page = (repository / "docs/ci/github.md").read_text()
    blocks = re.findall(r"^```yaml workflow\n(.*?)^```", page, re.M | re.S)
    steps = [block for block in re.findall(r"^```yml\n(.*?)^```", (repository / "README.md").read_text(), re.M | re.S) if "OWNER/akit@v" in block]
    assert len(blocks) >= 6 and len(steps) == 1, (len(blocks), len(steps))
    job = "name: readme\non: pull_request\npermissions: {}\njobs:\n  gate:\n    runs-on: ubuntu-latest\n    steps:\n"
    blocks.append(job + "".join(f"      {line}\n" for line in steps[0].splitlines()))
    for number, block in enumerate(blocks):
        block = re.sub(r"OWNER/akit@v[\d.]+", "./ # zizmor: ignore[self-repository]", block)
        # The page itself says that a commit is safer than a tag.
        block = re.sub(r"(uses: actions/\S+)$", r"\1 # zizmor: ignore[unpinned-uses]", block, flags=re.M)
        (pages / f".github/workflows/{number}.yml").write_text(block.replace("ignore[artipacked]", "ignore[artipacked,unpinned-uses]"))
    run(judges / "check_ci_files.sh", pages, folder=pages)
    # An unknown input must be noticed.
    wrong = pages / ".github/workflows/0.yml"
    wrong.write_text(wrong.read_text().replace("baseline:", "base-line:"))
    assert "base-line" in run(judges / "check_ci_files.sh", pages, status=1, folder=pages)

    # The hook, taken from this repository.
    project = work / "project"
    (project / "scenarios").mkdir(parents=True)
    right = "cases:\n  - id: hello\n    prompt: Hello\n    expected: { type: contains, values: [hi] }\n"
    home = {"PRE_COMMIT_HOME": str(work / "home"), "GIT_CONFIG_GLOBAL": os.devnull}
    home |= {f"GIT_{who}_{what}": "ada@acme.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    run("git", "init", "--quiet", folder=project, **home)
    # A clone with the current file, committed or not.
    source = work / "source"
    source.mkdir()
    (source / ".pre-commit-hooks.yaml").write_text((repository / ".pre-commit-hooks.yaml").read_text())
    run("git", "init", "--quiet", folder=source, **home)
    run("git", "add", ".", folder=source, **home)
    run("git", "commit", "--quiet", "--message", "hook", folder=source, **home)
    for text, status in ((right, 0), (right.replace("values", "valeus"), 1)):
        (project / "scenarios/hello.yaml").write_text(text)
        run("git", "add", ".", folder=project, **home)
        said = run("pre-commit", "try-repo", str(source), "akit-validate", "--all-files", status=status, folder=project, **home)
        assert status == 0 or "did you mean `values`" in said, said
        assert status == 1 or "Passed" in said, said

print("recipes: valid with the schemas of GitHub, GitLab,", ", ".join(SCHEMAS), "and the hook by pre-commit")
