#compdef git-pivot pivot
#description run exactly what a change of code, data or parameters reaches
# Completion of `git pivot`, git-pivot and pivot for zsh: eval "$(git pivot completion zsh)"

# Zsh's completion of git calls this for `git pivot`, by its name; words[1] is then `pivot`.
_git-pivot() {
    local -a found
    local name text
    while IFS=$'\t' read -r name text; do
        found+=("${name//:/\\:}:$text")
    done < <(git-pivot __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( $#found )); then
        _describe -t words 'git pivot' found
    else
        _files
    fi
}

if [[ ${funcstack[1]} == _git-pivot ]]; then
    _git-pivot "$@"
else
    compdef _git-pivot git-pivot pivot
fi
