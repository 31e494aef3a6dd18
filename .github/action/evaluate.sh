#!/usr/bin/env bash
# Runs `akit run`, or `akit stress`, with the inputs of the action as arguments, and sets its exit code as the output
# `exit-code` instead of ending with it, so that later steps run. akit itself writes the other outputs and the summary.
# Inputs come as variables and become whole arguments: no shell reads them again.
set -euo pipefail
# With CDPATH set, cd would search elsewhere, and print.
unset CDPATH

subcommand=${INPUT_COMMAND:-run}
arguments=("$subcommand")

wrong() { # TEXT: one line of the log, whatever an input contains.
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '::error title=akit::%s\n' "$text"
  printf 'verdict=error\nexit-code=2\n' >>"$GITHUB_OUTPUT"
  exit 0
}

value() { # FLAG VALUE
  [ -z "$2" ] || arguments+=("--$1=$2")
}

is() { # INPUT VALUE: whether the input is `true`.
  case $2 in
    true) return 0 ;;
    false | '') return 1 ;;
    *) wrong "the input $1 must be true or false, not $2" ;;
  esac
}

lines() { # TEXT: its lines into `lines`, without empty ones and without the line ends of Windows.
  lines=()
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    case $line in *[!$' \t']*) lines+=("$line") ;; esac
  done <<<"$1"
}

# Pull requests from forks and from Dependabot get no secrets, so a missing key there is not a mistake.
without_key() {
  [ "$FROM_FORK" = true ] || [ "$GITHUB_ACTOR" = 'dependabot[bot]' ] || return 1
  # Without -q, which would end before env has written everything, and so make the pipe fail although there is a key.
  ! env | grep -E '^[A-Za-z0-9_]+_API_KEY=.' >/dev/null
}

notice() { # TEXT: in the log, and in the summary of the job above the report.
  printf '::notice title=akit::%s\n' "$1"
  printf '> %s\n' "$1" >>"$GITHUB_STEP_SUMMARY"
}

plain() { # INPUT VALUE: refuses a line break, which could set an output of its own.
  case $2 in *[$'\r\n']*) wrong "the input $1 contains a line break" ;; esac
}

# Checked before anything is sent: a typo must not surface after the money is spent.
plain working-directory "$INPUT_WORKING_DIRECTORY"
plain reports "$INPUT_REPORTS"
is upload-artifact "$INPUT_UPLOAD_ARTIFACT" || true
is upload-sarif "$INPUT_UPLOAD_SARIF" || true
update_baseline=false
if is update-baseline "$INPUT_UPDATE_BASELINE"; then
  update_baseline=true
  [ -n "$INPUT_BASELINE" ] || wrong 'the input update-baseline needs the input baseline'
  # What a pull request brings is not what others are compared with.
  case ${GITHUB_EVENT_NAME:-} in pull_request* | merge_group) wrong "the input update-baseline is for pushes, not for $GITHUB_EVENT_NAME" ;; esac
fi
share_cache=false
if is share-cache "$INPUT_SHARE_CACHE"; then share_cache=true; fi
case $INPUT_WITHOUT_KEY in
  replay | neutral | run) ;;
  *) wrong "the input without-key must be replay, neutral or run, not $INPUT_WITHOUT_KEY" ;;
esac
case $subcommand in
  run | stress) ;;
  *) wrong "the input command is run or stress, and not $subcommand" ;;
esac
if [ "$subcommand" = stress ]; then
  # Nothing is recorded under load, and nothing that was recorded is a load.
  share_cache=false
  if is replay "$INPUT_REPLAY"; then wrong 'a load test asks the application, so replay is not for it'; fi
fi
trust=$INPUT_TRUST
case $trust in
  base | head) ;;
  # A change must not bring the settings that it is judged by.
  '') case $subcommand:${GITHUB_EVENT_NAME:-} in run:pull_request* | run:merge_group) trust=base ;; esac ;;
  *) wrong "the input trust must be base or head, not $trust" ;;
esac
cd -- "${INPUT_WORKING_DIRECTORY:-.}" || wrong "there is no folder $INPUT_WORKING_DIRECTORY"

if [ -n "$INPUT_COMMENT_FROM" ]; then
  arguments=(comment "--from=$INPUT_COMMENT_FROM")
  value policy "$INPUT_POLICY"
  value baseline "$INPUT_BASELINE"
  value comment-mode "$INPUT_COMMENT_MODE"
  value comment-key "$INPUT_COMMENT_KEY"
  status=0
  "$AKIT_PROGRAM" "${arguments[@]}" || status=$?
  printf 'exit-code=%s\n' "$status" >>"$GITHUB_OUTPUT"
  # The decision is that of the other workflow.
  [ "$status" = 0 ] || printf 'verdict=error\n' >>"$GITHUB_OUTPUT"
  exit 0
fi

cache_mode=$INPUT_CACHE
if is replay "$INPUT_REPLAY"; then
  cache_mode=replay
elif without_key; then
  case $INPUT_WITHOUT_KEY in
    replay)
      [ "$subcommand" = run ] ||
        wrong 'this change comes without secrets, and a load test cannot be replayed: set without-key to neutral or run'
      cache_mode=replay
      notice 'This change comes without secrets, so the application was not asked: answers and verdicts come from the cache. What is not in the cache is an error, and answers of an application without a version are inconclusive.' ;;
    neutral)
      notice 'This change comes without secrets, so nothing was evaluated, and the gate neither passes nor fails.'
      printf 'verdict=neutral\nexit-code=0\n' >>"$GITHUB_OUTPUT"
      exit ;;
  esac
fi

value config "$INPUT_POLICY"
value baseline "$INPUT_BASELINE"
value provider "$INPUT_PROVIDER"
value model "$INPUT_MODEL"
value base-url "$INPUT_BASE_URL"
lines "$INPUT_REPLIES"
for file in ${lines[@]+"${lines[@]}"}; do value replies "$file"; done
value target-version "$INPUT_TARGET_VERSION"
value grader-provider "$INPUT_GRADER_PROVIDER"
value grader-model "$INPUT_GRADER_MODEL"
value repeat "$INPUT_REPEAT"
value tags "$INPUT_TAGS"
value confirm "$INPUT_CONFIRM"
value min-pass-rate "$INPUT_MIN_PASS_RATE"
value fail-on "$INPUT_FAIL_ON"
value trust "$trust"
value weakened-since "$INPUT_WEAKENED_SINCE"
value budget "$INPUT_BUDGET"
value deadline "$INPUT_DEADLINE"
value cache "$cache_mode"
value cache-dir "$INPUT_CACHE_DIR"
if is strict "$INPUT_STRICT"; then arguments+=(--strict); fi
if is comment "$INPUT_COMMENT"; then
  arguments+=(--comment)
  value comment-mode "$INPUT_COMMENT_MODE"
  value comment-key "$INPUT_COMMENT_KEY"
fi

reports=${INPUT_REPORTS:-akit-reports}
case $subcommand in
  run) files=(json run.json junit junit.xml sarif akit.sarif markdown summary.md html akit.html) ;;
  stress) files=(json stress.json junit stress.xml markdown stress.md html stress.html) ;;
esac
mkdir -p -- "$reports" || wrong "cannot create the folder $reports"
# A change may bring a link of that name; what it points to is neither written to nor uploaded.
case $reports in
  /* | ?:[/\\]*) ;;
  *)
    case $INPUT_WORKING_DIRECTORY in /* | ?:[/\\]*) root=. ;; *) root=$GITHUB_WORKSPACE ;; esac
    case $(cd -- "$reports" && pwd -P)/ in
      "$(cd -- "$root" && pwd -P)"/*) ;;
      *) wrong "the folder $reports leads out of the workspace" ;;
    esac ;;
esac
for ((index = 0; index < ${#files[@]}; index += 2)); do
  # A report of an earlier step must not pass for one of this run.
  rm -f -- "$reports/${files[index + 1]}"
  arguments+=("--${files[index]}=$reports/${files[index + 1]}")
done

lines "$INPUT_ARGS"
arguments+=(${lines[@]+"${lines[@]}"})
lines "$INPUT_SCENARIOS"
arguments+=(-- ${lines[@]+"${lines[@]}"})

# After a usage error, akit ends before it writes outputs.
printf 'verdict=error\n' >>"$GITHUB_OUTPUT"
status=0
"$AKIT_PROGRAM" "${arguments[@]}" || status=$?
if [ "$update_baseline" = true ] && [ "$status" = 0 ]; then
  update=(baseline update "$reports/run.json" "--baseline=$INPUT_BASELINE")
  [ -z "$INPUT_POLICY" ] || update+=("--config=$INPUT_POLICY")
  "$AKIT_PROGRAM" "${update[@]}" || status=$?
fi
printf 'exit-code=%s\n' "$status" >>"$GITHUB_OUTPUT"

# Later steps look for files relative to the workspace.
case $reports in /* | ?:[/\\]*) from_workspace=$reports ;; *) from_workspace=${INPUT_WORKING_DIRECTORY:-.}/$reports ;; esac
from_workspace=${from_workspace#./}
some=()
for ((index = 0; index < ${#files[@]}; index += 2)); do
  if [ -f "$reports/${files[index + 1]}" ]; then
    some+=("$from_workspace/${files[index + 1]}")
    printf '%s=%s\n' "${files[index]}" "$from_workspace/${files[index + 1]}" >>"$GITHUB_OUTPUT"
  fi
done
# One by one, because a change may have put other files beside them. No path contains a line break.
if [ ${#some[@]} -gt 0 ]; then
  { printf 'reports<<END-OF-REPORTS\n'; printf '%s\n' "${some[@]}"; printf 'END-OF-REPORTS\n'; } >>"$GITHUB_OUTPUT"
fi

# The cache is named after its contents, so an unchanged one is not stored again.
cache=${INPUT_CACHE_DIR:-.akit/cache}
if [ "$share_cache" = true ] && [ "$cache_mode" != replay ] && [ "$cache_mode" != off ] && [ -d "$cache" ]; then
  if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
  # The decision stays the same, whatever a folder of the change contains.
  if digest=$(cd -- "$cache" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 cat -- | "${sum[@]}" | cut -d ' ' -f 1); then
    printf 'cache-digest=%s\n' "$digest" >>"$GITHUB_OUTPUT"
  else
    printf '::warning title=akit::the cache cannot be read, so it is not kept\n'
  fi
fi
