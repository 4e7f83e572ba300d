# Completion of `git pivot`, git-pivot and pivot for bash: eval "$(git pivot completion bash)"

# Git's own completion calls this for `git pivot`, by its name.
_git_pivot() {
    local line=${COMP_LINE:0:COMP_POINT} words=() start=1 at current before word
    read -ra words <<<"$line"
    [[ $line != *[[:space:]] ]] || words+=("")
    if [[ ${words[0]##*/} == git ]]; then # `git -C folder pivot`, or an alias of it
        start=${__git_cmd_idx:-1}
        for ((at = 1; at < ${#words[@]}; at++)); do
            [[ ${words[at]} != pivot ]] || { start=$at && break; }
        done
        start=$((start + 1))
    fi
    current=${words[${#words[@]} - 1]}
    before=
    # Bash takes these for ends of words, and wants to hear only what comes after the last of them.
    case $COMP_WORDBREAKS in *[@=:]*) before=${current%"${current##*[@=:]}"} ;; esac
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        [[ $word == "$current"* ]] || continue
        case $word in
        *. | *=) COMPREPLY+=("${word#"$before"}") ;;
        *) COMPREPLY+=("${word#"$before"} ") ;;
        esac
    done < <(git-pivot __complete "${words[@]:start}" 2>/dev/null)
}

complete -o bashdefault -o default -o nospace -F _git_pivot git-pivot pivot

# Git's own completion is loaded here where nothing loads it at the first TAB, as in a container; without it, `git pivot`
# alone is completed.
_git_pivot_alone() {
    [[ ${COMP_WORDS[1]} != pivot ]] || _git_pivot
}

_git_pivot_load() {
    local place prefix
    prefix=$(git --exec-path 2>/dev/null)/../..
    for place in "$prefix"/share/{bash-completion/completions/git,git-core/git-completion.bash} \
        "$prefix/etc/bash_completion.d/git-completion.bash" /usr/share/bash-completion/completions/git; do
        [[ ! -r $place ]] || { . "$place" && return; }
    done
    complete -o bashdefault -o default -o nospace -F _git_pivot_alone git
}

complete -p git &>/dev/null || complete -p -D &>/dev/null || _git_pivot_load
