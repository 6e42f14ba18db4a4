package output

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// widening is the file that a wider table is written to. No output can have its
// name (see isPrivate).
const widening = ".runner"

// widen gives a csv or tsv file the columns that records after its header added:
// a new header, and empty cells at the ends of the records that lack them.
func (s *Set) widen(f *file) error {
	t, ok := f.out.form.(*table)
	if !ok || f.width == t.width() {
		return nil
	}
	if err := s.partials.shut(f); err != nil {
		return err
	}
	size, err := s.rewrite(f, t)
	if err != nil {
		return failure("writing", s.partials.at(f.path), err)
	}
	f.size, f.width = size, t.width()
	return nil
}

func (s *Set) rewrite(f *file, t *table) (int64, error) {
	dir := s.partials.dir
	from, err := dir.Open(f.path)
	if err != nil {
		return 0, err
	}
	defer from.Close() // only read from
	if err := dir.Remove(widening); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	to, err := dir.OpenFile(widening, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, err
	}
	err = t.pad(to, from)
	info, statErr := to.Stat()
	if err := errors.Join(err, statErr, to.Close()); err != nil {
		return 0, err
	}
	return info.Size(), dir.Rename(widening, f.path)
}

// pad copies a table with a new header and with records of full width. It finds
// the ends of cells and lines by the quotes alone, and changes no other byte.
func (t *table) pad(to io.Writer, from io.Reader) error {
	out := bufio.NewWriter(to) // remembers its first error for Flush
	in := bufio.NewReader(from)
	_, _ = out.Write(t.header(nil))
	header, quoted, cells := true, false, 1
	for {
		c, err := in.ReadByte()
		if err != nil {
			return errors.Join(notEOF(err), out.Flush())
		}
		switch {
		case c == '"':
			quoted = !quoted
		case c == t.comma && !quoted:
			cells++
		case c == '\n' && !quoted && header:
			header, cells = false, 1
			continue
		case c == '\n' && !quoted:
			_, _ = out.Write(bytes.Repeat([]byte{t.comma}, t.width()-cells))
			cells = 1
		}
		if !header {
			_ = out.WriteByte(c)
		}
	}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
