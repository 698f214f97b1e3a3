export type Shell = 'bash' | 'zsh' | 'fish' | 'powershell';

// Each asks `knarr __complete` for the words of the line; what it answers is told in complete.ts.

const bash = `# bash completion of knarr; it needs nothing but bash 4
_knarr() {
  local line=\${COMP_LINE:0:COMP_POINT} program answer directive candidate cut
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local word=\${words[\${#words[@]}-1]}
  program=$(type -P "\${words[0]}") || program=knarr
  COMPREPLY=()
  answer=$("$program" __completeNoDesc "\${words[@]:1}" 2>/dev/null) || return
  directive=\${answer##*:}
  answer=\${answer%:*}
  if ((directive & 8)); then
    local pattern=\${answer//$'\\n'/|}
    compopt -o filenames
    while IFS= read -r candidate; do
      [[ -d $candidate || \${candidate##*.} =~ ^(\${pattern%|})$ ]] && COMPREPLY+=("$candidate")
    done < <(compgen -f -- "$word")
    return
  fi
  # bash takes : and = for borders of words, and puts in what stands behind the last of them.
  cut=\${word%"\${word##*[:=]}"}
  while IFS= read -r candidate; do
    [[ $word == --*=* ]] && candidate=\${word%%=*}=$candidate
    [[ -n $candidate && $candidate == "$word"* ]] && COMPREPLY+=("\${candidate#"$cut"}")
  done <<<"$answer"
  ((directive & 2)) && compopt -o nospace
  if [[ \${#COMPREPLY[@]} -eq 0 ]] && ! ((directive & 4)); then
    compopt -o default
  fi
}
complete -F _knarr knarr
`;

const zsh = `#compdef knarr
compdef _knarr knarr

# zsh completion of knarr
_knarr() {
  local answer directive line value
  local -a lines values descriptions
  answer=$(_call_program knarr "\${(q)words[1]}" __complete "\${(@q)words[2,CURRENT-1]}" "\${(q)PREFIX}" 2>/dev/null) || return 1
  directive=\${answer##*:}
  lines=("\${(@f)\${answer%:*}}")
  lines=(\${lines:#})
  if ((directive & 8)); then
    _files -g "*.(\${(j:|:)lines})"
    return
  fi
  local prefix=
  [[ $PREFIX == --*=* ]] && prefix=\${PREFIX%%=*}=
  for line in $lines; do
    value=$prefix\${line%%$'\\t'*}
    values+=("$value")
    [[ $line == *$'\\t'* ]] && value+="  -- \${line#*$'\\t'}"
    descriptions+=("$value")
  done
  local -a how
  ((directive & 2)) && how=(-S '')
  if ((\${#values})); then
    compadd -l -d descriptions $how -a values
  elif ! ((directive & 4)); then
    _files
  fi
}
# As a file of fpath, this is the body of the function itself.
[[ $funcstack[1] == _knarr ]] && _knarr
`;

const fish = `# fish completion of knarr
function __knarr_candidates
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (command $words[1] __complete $words[2..-1] 2>/dev/null)
    or return
    set -l directive (string replace ':' '' -- $answer[-1])
    set -l candidates $answer[1..-2]
    set -l word (commandline -ct)
    if test (math "bitand($directive, 8)") -ne 0
        for extension in $candidates
            __fish_complete_suffix .$extension
        end
        return
    end
    set -l prefix (string match -r -- '^--[^=]*=' $word)
    for candidate in $candidates
        printf '%s\\n' "$prefix"$candidate
    end
    if test (count $candidates) -eq 0; and test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path $word
    end
end
complete -c knarr -e
complete -c knarr -f -a '(__knarr_candidates)'
`;

const powershell = `# powershell completion of knarr
Register-ArgumentCompleter -Native -CommandName 'knarr' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { "$_" })
    $program = $words[0]
    $before = @($words | Select-Object -Skip 1)
    if ("$wordToComplete" -ne '') { $before = @($before | Select-Object -SkipLast 1) }
    $answer = @(& $program __complete @before "$wordToComplete" 2>$null)
    if ($answer.Count -eq 0) { return }
    $directive = [int]($answer[-1].TrimStart(':'))
    if ($directive -band 8) { return }
    $prefix = if ("$wordToComplete" -match '^(--[^=]*=)') { $Matches[1] } else { '' }
    $answer | Select-Object -SkipLast 1 | ForEach-Object {
        $value, $description = $_ -split "\`t", 2
        if (-not $description) { $description = $value }
        $space = if ($directive -band 2) { '' } else { ' ' }
        [System.Management.Automation.CompletionResult]::new("$prefix$value$space", $value, 'ParameterValue', $description)
    }
}
`;

/** Completion code that a shell reads, by its name. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish, powershell };
