# Completion of `git pivot`, git-pivot and pivot for fish: git pivot completion fish | source

function __git_pivot_words
    set -l words (commandline -opc)
    set -l start (contains -i -- pivot $words; or echo 1)
    git-pivot __complete $words[(math $start + 1)..] (commandline -ct) 2>/dev/null
end

complete -c git-pivot -a '(__git_pivot_words)'
complete -c pivot -a '(__git_pivot_words)'
complete -c git -n '__fish_seen_subcommand_from pivot' -a '(__git_pivot_words)'
