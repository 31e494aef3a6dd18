#!/usr/bin/env bash
# Runs `akit run` with the inputs of the action as arguments, and tells its status as the output `exit-code`
# instead of ending with it, so that the steps after this one happen. akit itself writes the other outputs and
# the summary. Inputs come as variables and become whole arguments: no shell reads them again.
set -euo pipefail
# With it, cd would search elsewhere, and print.
unset CDPATH

arguments=(run)

wrong() { # TEXT: one line of the log, whatever an input has in it.
  local told=${1//'%'/%25}
  told=${told//$'\r'/%0D}
  told=${told//$'\n'/%0A}
  printf '::error title=akit::%s\n' "$told"
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
    case $line in *[!$' \t']*) lines+=("$line") ;; esac
  done <<<"$1"
}

# Pull requests of forks and of Dependabot get no secrets, so that a missing key there is nobody's mistake.
without_key() {
  [ "$FROM_FORK" = true ] || [ "$GITHUB_ACTOR" = 'dependabot[bot]' ] || return 1
  # Without -q, which ends before env has written all and makes the pipe fail where there is a key.
  ! env | grep -E '^[A-Za-z0-9_]+_API_KEY=.' >/dev/null
}

told() { # TEXT: in the log, and in the summary of the job above the report.
  printf '::notice title=akit::%s\n' "$1"
  printf '> %s\n' "$1" >>"$GITHUB_STEP_SUMMARY"
}

plain() { # INPUT VALUE: refuses a line end, which would begin an output of the value's choice.
  case $2 in *[$'\r\n']*) wrong "the input $1 has a line end" ;; esac
}

# Before anything is asked, for a wrong word must not be found when the money is spent.
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
  *) wrong "the input without-key is replay, neutral or run, and not $INPUT_WITHOUT_KEY" ;;
esac
trust=$INPUT_TRUST
case $trust in
  base | head) ;;
  # A change must not bring the settings that it is judged by.
  '') case ${GITHUB_EVENT_NAME:-} in pull_request* | merge_group) trust=base ;; esac ;;
  *) wrong "the input trust is base or head, and not $trust" ;;
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
  # The verdict is that of the other workflow.
  [ "$status" = 0 ] || printf 'verdict=error\n' >>"$GITHUB_OUTPUT"
  exit 0
fi

cache_mode=$INPUT_CACHE
if is replay "$INPUT_REPLAY"; then
  cache_mode=replay
elif without_key; then
  case $INPUT_WITHOUT_KEY in
    replay)
      cache_mode=replay
      told 'This change comes without secrets, so the application was not asked: answers and verdicts are those that the cache has. What it does not have is an error, and answers of an application that nothing identifies are inconclusive.' ;;
    neutral)
      told 'This change comes without secrets, so nothing was evaluated, and the gate neither passes nor fails.'
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
files=(json run.json junit junit.xml sarif akit.sarif markdown summary.md html akit.html)
mkdir -p -- "$reports" || wrong "the folder $reports cannot be made"
# A change may bring a link of that name, and what it points to is neither written to nor uploaded.
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

# A usage error ends akit before it writes outputs.
printf 'verdict=error\n' >>"$GITHUB_OUTPUT"
status=0
"$AKIT_PROGRAM" "${arguments[@]}" || status=$?
if [ "$update_baseline" = true ] && [ "$status" = 0 ]; then
  update=(baseline update "$reports/run.json" "--baseline=$INPUT_BASELINE")
  [ -z "$INPUT_POLICY" ] || update+=("--config=$INPUT_POLICY")
  "$AKIT_PROGRAM" "${update[@]}" || status=$?
fi
printf 'exit-code=%s\n' "$status" >>"$GITHUB_OUTPUT"

# Later steps look for files from the workspace.
case $reports in /* | ?:[/\\]*) from_workspace=$reports ;; *) from_workspace=${INPUT_WORKING_DIRECTORY:-.}/$reports ;; esac
from_workspace=${from_workspace#./}
some=()
for ((index = 0; index < ${#files[@]}; index += 2)); do
  if [ -f "$reports/${files[index + 1]}" ]; then
    some+=("$from_workspace/${files[index + 1]}")
    printf '%s=%s\n' "${files[index]}" "$from_workspace/${files[index + 1]}" >>"$GITHUB_OUTPUT"
  fi
done
# One by one, as a change may have put other files beside them. No path has a line end.
if [ ${#some[@]} -gt 0 ]; then
  { printf 'reports<<END-OF-REPORTS\n'; printf '%s\n' "${some[@]}"; printf 'END-OF-REPORTS\n'; } >>"$GITHUB_OUTPUT"
fi

# The name of the cache tells its contents, so that an unchanged one is not stored again.
cache=${INPUT_CACHE_DIR:-.akit/cache}
if [ "$share_cache" = true ] && [ "$cache_mode" != replay ] && [ "$cache_mode" != off ] && [ -d "$cache" ]; then
  if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
  # The verdict stands, whatever a folder of the change has in it.
  if digest=$(cd -- "$cache" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 cat -- | "${sum[@]}" | cut -d ' ' -f 1); then
    printf 'cache-digest=%s\n' "$digest" >>"$GITHUB_OUTPUT"
  else
    printf '::warning title=akit::the cache cannot be read, and is not kept\n'
  fi
fi
