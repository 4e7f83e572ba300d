"""Which paths stay in the work tree and out of Git's own folder, on every file system."""

from __future__ import annotations

# Code points that HFS+ ignores when it compares names (the list that `git fsck` uses).
_HFS_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF],
)

LONGEST = 4096  # characters of a path, as Linux has it; so the depth of a tree of outputs is bounded too


def is_safe_path(path: str) -> bool:
    """Whether a repository-relative path stays in the work tree and out of `.git`, on every file system."""
    if len(path) > LONGEST:
        return False
    parts = path.split("/")
    return "\0" not in path and not any(part in ("", ".", "..") or names_git_folder(part) for part in parts)


def names_git_folder(name: str) -> bool:
    """Would some file system take this name for `.git`? The spellings of NTFS and HFS+ count, as for `git fsck`."""
    if name.isascii() and "git" not in name.lower():
        return False
    plain = name.translate(_HFS_IGNORED).lower()
    if plain == ".git":
        return True
    # NTFS drops trailing dots and blanks, knows streams (`:`) and a short name; `\` parts folders there.
    return any(
        part.split(":")[0].rstrip(". ") in (".git", "git~1") for part in name.lower().replace("/", "\\").split("\\")
    )
