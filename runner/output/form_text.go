package output

import (
	"strings"

	"github.com/batchrunner/runner/specs"
)

// text is the form of outputs with a template: each record's text as the template
// gives it, with nothing between. The header sees the file's first record, the
// footer its last.
type text struct{ spec *specs.Output }

func (t *text) begin(dst []byte, f *file, in *input) ([]byte, error) {
	if in == nil {
		return t.beginEmpty(dst, f)
	}
	if t.spec.Header == nil {
		return dst, nil
	}
	header, err := in.render("header", t.spec.Header)
	return append(dst, valid(header)...), err
}

// beginEmpty gives the header of a file without records, if it needs none.
func (t *text) beginEmpty(dst []byte, f *file) ([]byte, error) {
	if t.spec.Footer != nil && t.spec.Footer.Constant() {
		f.footer = t.spec.Footer.Text()
	}
	if t.spec.Header != nil && t.spec.Header.Constant() {
		dst = append(dst, t.spec.Header.Text()...)
	}
	return dst, nil
}

func (t *text) record(dst []byte, f *file, in *input) ([]byte, error) {
	record, err := in.render("template", t.spec.Template)
	if err != nil {
		return dst, err
	}
	footer := ""
	if t.spec.Footer != nil {
		if footer, err = in.render("footer", t.spec.Footer); err != nil {
			return dst, err
		}
	}
	f.footer = footer
	return append(dst, valid(record)...), nil
}

func (t *text) end(dst []byte, f *file) []byte { return append(dst, valid(f.footer)...) }

// valid replaces what is not UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
