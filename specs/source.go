package specs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs/say"
)

const (
	maxJobFile    = 1 << 20 // data belongs in data files, which have no such limit
	maxPromptFile = 1 << 20
)

// A source is a text file that the job is read from: the job file or a prompt file.
type source struct {
	file  string // as messages name it
	text  string // without a byte order mark
	lines []string
}

// newSource makes a source of a file that is no YAML: lines end as everywhere.
func newSource(file, text string) *source {
	return &source{file: file, text: text, lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")}
}

// line returns a line by its number from 1, empty where there is none.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// from returns the rest of a line from a column on.
func (s *source) from(p Pos) string {
	line := s.line(p.Line)
	for range p.Col - 1 {
		_, size := utf8.DecodeRuneInString(line)
		line = line[size:]
	}
	return line
}

// breaks are what YAML takes for the end of a line. LF and CRLF are what everybody
// writes; the others must count, or our lines would differ from the parser's.
var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

func splitLines(text string) []string { return strings.Split(breaks.Replace(text), "\n") }

// readFile reads a text file of at most so many bytes. The error is a mistake
// without a file; its place is in the file.
func readFile(root fs.FS, name string, most int64) (string, *mistake) {
	f, err := root.Open(name)
	if err != nil {
		return "", &mistake{message: fileMessage(err), missing: errors.Is(err, fs.ErrNotExist)}
	}
	defer f.Close() // only read from
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "", &mistake{message: "it is a folder, not a file"}
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return "", &mistake{message: fileMessage(err)}
	}
	if int64(len(data)) > most {
		return "", tooLong(most)
	}
	return decode(data)
}

func tooLong(most int64) *mistake {
	if most < 1<<20 {
		return &mistake{message: fmt.Sprintf("the file is larger than %d KiB", most>>10)}
	}
	return &mistake{message: fmt.Sprintf("the file is larger than %d MiB", most>>20), help: "long lists belong in data files, which have no such limit"}
}

// A mistake is what is wrong with a file before it has become a source.
type mistake struct {
	pos           Pos
	message, help string
	missing       bool // there is no such file
}

// decode takes a text's bytes: UTF-8, with or without a byte order mark.
func decode(data []byte) (string, *mistake) {
	if wide(data) {
		return "", &mistake{pos: Pos{1, 1}, message: "the file is in UTF-16, not in UTF-8", help: "save it as UTF-8"}
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if utf8.ValidString(text) {
		return text, nil
	}
	valid := 0
	for r, size := utf8.DecodeRuneInString(text); r != utf8.RuneError || size != 1; r, size = utf8.DecodeRuneInString(text[valid:]) {
		valid += size
	}
	return "", &mistake{pos: end(text[:valid]), message: fmt.Sprintf("the byte 0x%02x here is not UTF-8", text[valid]), help: "save the file as UTF-8"}
}

// wide says whether text looks like UTF-16, by its mark or its zero bytes.
func wide(data []byte) bool {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return true
		}
	}
	return len(data) > 3 && (data[0] == 0) != (data[1] == 0) && (data[2] == 0) != (data[3] == 0) && (data[0] == 0) == (data[2] == 0)
}

// end is the place just after a text.
func end(text string) Pos {
	lines := splitLines(text)
	return Pos{len(lines), utf8.RuneCountInString(lines[len(lines)-1]) + 1}
}

// control finds the first character that YAML allows nowhere.
func control(text string) *mistake {
	for i, r := range text {
		if r >= ' ' && r != 0x7f && !(0x80 <= r && r < 0xa0 && r != 0x85) && r != 0xfffe && r != 0xffff || strings.ContainsRune("\t\n\r", r) {
			continue
		}
		return &mistake{pos: end(text[:i]), message: fmt.Sprintf("the control character U+%04X can't stand in YAML", r), help: fmt.Sprintf(`remove it, or write it inside double quotes as \u%04X`, r)}
	}
	return nil
}

// fileMessage says a file system's error without its path.
func fileMessage(err error) string {
	switch err = say.Cause(err); {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "it may not be read (permission denied)"
	case errors.Is(err, say.ErrOutside):
		return err.Error()
	}
	return "it can't be read: " + err.Error()
}
