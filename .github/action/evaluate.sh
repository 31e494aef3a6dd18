#!/usr/bin/env bash
# Runs `akit run` with the inputs of the action as arguments, and tells its status as the output `exit-code`
# instead of ending with it, so that the steps after this one happen. akit itself writes the other outputs and
# the summary. Inputs come as variables and become whole arguments: no shell reads them again.
set -euo pipefail

arguments=(run)

wrong() {
  printf '::error title=akit::%s\n' "$1"
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
    *) wrong "the input $1 is true or false, and not $2" ;;
  esac
}

lines() { # TEXT: its lines into `lines`, without empty ones and the ends that Windows writes.
  lines=()
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    [ -z "$line" ] || lines+=("$line")
  done <<<"$1"
}

# Pull requests of forks and of Dependabot get no secrets, so that a missing key there is nobody's mistake.
without_key() {
  [ "$FROM_FORK" = true ] || [ "$GITHUB_ACTOR" = 'dependabot[bot]' ] || return 1
  ! env | grep -Eq '^[A-Za-z0-9_]+_API_KEY=.'
}

told() { # TEXT: in the log, and in the summary of the job above the report.
  printf '::notice title=akit::%s\n' "$1"
  printf '> %s\n' "$1" >>"$GITHUB_STEP_SUMMARY"
}

cd "$INPUT_WORKING_DIRECTORY"

if [ -n "$INPUT_COMMENT_FROM" ]; then
  arguments=(comment "--from=$INPUT_COMMENT_FROM")
  value policy "$INPUT_POLICY"
  value baseline "$INPUT_BASELINE"
  value mode "$INPUT_COMMENT_MODE"
  value key "$INPUT_COMMENT_KEY"
  status=0
  "$AKIT_PROGRAM" "${arguments[@]}" || status=$?
  printf 'exit-code=%s\n' "$status" >>"$GITHUB_OUTPUT"
  exit
fi

cache_mode=$INPUT_CACHE
if is replay "$INPUT_REPLAY"; then
  cache_mode=replay
elif without_key; then
  case $INPUT_WITHOUT_KEY in
    replay)
      cache_mode=replay
      told 'This change comes without secrets, so nobody was asked: answers and verdicts are those that the cache has. What it does not have is an error.' ;;
    neutral)
      told 'This change comes without secrets, so nothing was evaluated, and the gate neither passes nor fails.'
      printf 'verdict=neutral\nexit-code=0\n' >>"$GITHUB_OUTPUT"
      exit ;;
    run) ;;
    *) wrong "the input without-key is replay, neutral or run, and not $INPUT_WITHOUT_KEY" ;;
  esac
fi

value config "$INPUT_POLICY"
value baseline "$INPUT_BASELINE"
value provider "$INPUT_PROVIDER"
value model "$INPUT_MODEL"
value base-url "$INPUT_BASE_URL"
value replies "$INPUT_REPLIES"
value grader-provider "$INPUT_GRADER_PROVIDER"
value grader-model "$INPUT_GRADER_MODEL"
value repeat "$INPUT_REPEAT"
value tags "$INPUT_TAGS"
value confirm "$INPUT_CONFIRM"
value min-pass-rate "$INPUT_MIN_PASS_RATE"
value fail-on "$INPUT_FAIL_ON"
value policy-from "$INPUT_POLICY_FROM"
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
files=(json run.json junit junit.xml sarif akit.sarif markdown summary.md html akit.html)
mkdir -p "$reports"
for ((index = 0; index < ${#files[@]}; index += 2)); do
  # A report of an earlier step must not pass for one of this run.
  rm -f "$reports/${files[index + 1]}"
  arguments+=("--${files[index]}=$reports/${files[index + 1]}")
done

lines "$INPUT_ARGS"
arguments+=(${lines[@]+"${lines[@]}"})
lines "$INPUT_SCENARIOS"
arguments+=(-- ${lines[@]+"${lines[@]}"})

# A usage error ends akit before it writes outputs.
printf 'verdict=error\n' >>"$GITHUB_OUTPUT"
status=0
"$AKIT_PROGRAM" "${arguments[@]}" || status=$?
printf 'exit-code=%s\n' "$status" >>"$GITHUB_OUTPUT"

# Later steps look for files from the workspace.
case $reports in /* | ?:[/\\]*) from_workspace=$reports ;; *) from_workspace=$INPUT_WORKING_DIRECTORY/$reports ;; esac
from_workspace=${from_workspace#./}
for ((index = 0; index < ${#files[@]}; index += 2)); do
  if [ -f "$reports/${files[index + 1]}" ]; then
    printf '%s=%s\n' "${files[index]}" "$from_workspace/${files[index + 1]}" >>"$GITHUB_OUTPUT"
    some=true
  fi
done
if [ -n "${some:-}" ]; then printf 'reports=%s\n' "$from_workspace" >>"$GITHUB_OUTPUT"; fi

# The name of the cache tells its contents, so that an unchanged one is not stored again.
cache=${INPUT_CACHE_DIR:-.akit/cache}
if is share-cache "$INPUT_SHARE_CACHE" && [ "$cache_mode" != replay ] && [ "$cache_mode" != off ] && [ -d "$cache" ]; then
  if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
  digest=$(cd "$cache" && find . -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat | "${sum[@]}" | cut -d ' ' -f 1)
  printf 'cache-digest=%s\n' "$digest" >>"$GITHUB_OUTPUT"
fi
