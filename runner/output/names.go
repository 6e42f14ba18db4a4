package output

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A badName is why a file name can't be used: what is wrong with it, and what to
// do about it.
type badName struct{ message, help string }

const (
	maxPart = 255  // bytes in one part of a path: what ext4, APFS and NTFS can hold
	maxPath = 1024 // bytes in a path: what macOS takes
)

// resolve turns a rendered file name into a path inside the root. The name is
// relative to dir, the job file's folder. literal is the length of its beginning
// that stands in the job file itself; only there may a path go up. What comes from
// data or answers must be names that every system takes, so that a job works on
// all of them and no answer chooses a place of its own.
func resolve(dir, name string, literal int) (string, *badName) {
	if bad := checkWhole(name); bad != nil {
		return "", bad
	}
	if bad := checkParts(name[:literal], name[literal:]); bad != nil {
		return "", bad
	}
	full := path.Join(dir, name)
	switch {
	case full == ".." || strings.HasPrefix(full, "../"):
		return "", &badName{"leaves the root", "write inside the root, or name a higher one with --root"}
	case len(full) > maxPath:
		return "", &badName{fmt.Sprintf("makes a path of %d bytes; %d is the most", len(full), maxPath), "use a shorter name"}
	}
	return full, nil
}

// checkParts checks the parts of a name: fixed is its beginning that stands in the
// job file, where empty parts, "." and ".." mean what they do anywhere.
func checkParts(fixed, rest string) *badName {
	for part := range strings.SplitSeq(fixed, "/") {
		if part == "" || part == "." || part == ".." {
			continue
		}
		if bad := checkPart(part); bad != nil {
			return bad
		}
	}
	for part := range strings.SplitSeq(rest, "/") {
		if bad := checkPart(part); bad != nil {
			return bad
		}
	}
	return nil
}

func checkWhole(name string) *badName {
	switch {
	case name == "":
		return &badName{"is empty", "give every record's file a name"}
	case !utf8.ValidString(name):
		return &badName{"is not valid UTF-8", "use other text for the name"}
	case strings.HasPrefix(name, "/"), strings.HasPrefix(name, `\`):
		return &badName{"is an absolute path", "write paths relative to the job file"}
	case strings.HasSuffix(name, "/"):
		return &badName{"ends in /", "add the name of a file"}
	}
	return nil
}

// checkPart holds one part of a path against what Linux, macOS and Windows take.
func checkPart(part string) *badName {
	switch {
	case part == "":
		return &badName{"has an empty part", `give the part between the slashes a name, as with {{ ... | default "none" }}`}
	case part == "." || part == "..":
		return &badName{fmt.Sprintf("has the part %q", part), "only the job file's own text may go to other folders"}
	case len(part) > maxPart:
		return &badName{fmt.Sprintf("has a part of %d bytes; %d is the most", len(part), maxPart), "shorten it, as with {{ ... | trunc 80 }}"}
	case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
		return &badName{fmt.Sprintf("has the part %q, whose end Windows drops", part), "let no part end in a dot or a space"}
	case isDevice(part):
		return &badName{fmt.Sprintf("has the part %q, which is a device on Windows", part), "use another name"}
	case isPrivate(part):
		return &badName{fmt.Sprintf("has the part %q, which is not for outputs", part), "write outputs to a folder of their own"}
	}
	return checkCharacters(part)
}

func checkCharacters(part string) *badName {
	for _, r := range part {
		if strings.ContainsRune(`\:*?"<>|`, r) {
			return &badName{fmt.Sprintf("holds the character %q, which Windows does not allow", r), `replace it, as with {{ ... | replace ":" "-" }}`}
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return &badName{fmt.Sprintf("holds the character %U, which can't be seen", r), "remove it, as with {{ ... | trim }}"}
		}
	}
	return nil
}

// devices are the names that Windows keeps for devices, with any extension
// (learn.microsoft.com/windows/win32/fileio/naming-a-file).
var devices = []string{"con", "prn", "aux", "nul", "conin$", "conout$"}

func isDevice(part string) bool {
	stem, _, _ := strings.Cut(fold(part), ".")
	stem = strings.TrimRight(stem, " ")
	if slices.Contains(devices, stem) {
		return true
	}
	if len(stem) < 4 || stem[:3] != "com" && stem[:3] != "lpt" {
		return false
	}
	digit, size := utf8.DecodeRuneInString(stem[3:])
	return size == len(stem)-3 && strings.ContainsRune("0123456789¹²³", digit)
}

// isPrivate tells the folders whose files are no outputs of anybody's: our own
// state, and git's, where a file can be a command.
func isPrivate(part string) bool {
	switch fold(part) {
	case ".runner", ".git", "git~1", "runner~1":
		return true
	}
	return false
}

// fold maps names that a file system without case takes for equal to one spelling.
func fold(name string) string {
	return strings.Map(foldRune, name)
}

// foldRune gives the least of the characters that differ from r only in case, the
// small letter of ASCII.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return unicode.ToLower(r)
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least < utf8.RuneSelf {
		return unicode.ToLower(least)
	}
	return least
}

// literalPrefix is the length of the beginning of a file name's template that is
// the job file's own text: whole folders before the first action.
func literalPrefix(text string) int {
	before, _, _ := strings.Cut(text, "{{")
	return strings.LastIndexByte(before, '/') + 1
}
