# bash completion for lpalias: the program itself says what may come next.
# shellcheck shell=bash

_lpalias() {
    local line=${COMP_LINE:0:COMP_POINT} words word before
    read -ra words <<<"$line"
    [[ $line == *[[:blank:]] ]] && words+=("")
    word=${words[-1]}
    mapfile -t COMPREPLY < <(lpalias complete -- "${words[@]:1}" 2>/dev/null)
    # bash itself breaks words at these, and puts a reply in the place of the last piece only; an
    # "@" begins such a piece, any other mark ends the one before.
    if [[ $word == *["$COMP_WORDBREAKS"]* ]]; then
        before=${word%"${word##*["$COMP_WORDBREAKS"]}"}
        COMPREPLY=("${COMPREPLY[@]#"${before%@}"}")
    fi
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == "" ]] && COMPREPLY=()
}

# Where lpalias knows nothing, a file is meant.
complete -o default -F _lpalias lpalias
