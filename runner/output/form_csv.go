package output

import (
	"slices"
	"strconv"

	"github.com/batchrunner/runner/specs"
)

// table is the forms csv and tsv: a header, then a line a record, with \n at the
// ends of lines and quotes as in RFC 4180. A tsv file differs in its separator
// only, since that is what spreadsheets read; IANA's form of it can't hold tabs
// and ends of lines at all.
//
// The default columns are row, id, the variables, response, model, success, error
// and error_class. A variable that is an object has a column for each of its
// fields (axis.field; what is nested deeper is JSON). Where the job does not tell
// the fields, the first record does; columns that later records need besides come
// last, and are given to the records before when the run ends (see widen).
type table struct {
	comma   byte
	safe    bool
	shaped  []specs.Column // nil: the default columns
	columns []column
	heads   []head
	laid    bool // heads are complete but for late ones
}

// A head is a column of the default table.
type head struct {
	name  string
	kind  kind
	field string // of kind fieldHead
	from  int    // of kinds varHead and fieldHead: the variable's index in columns
}

type kind int

const (
	varHead kind = iota // a variable that is no object
	fieldHead
	rowHead
	idHead
	responseHead
	modelHead
	successHead
	errorHead
	classHead
)

func newTable(spec *specs.Output, columns []column, comma byte) *table {
	return &table{comma: comma, safe: spec.Safe, shaped: spec.Columns, columns: columns}
}

func (t *table) begin(dst []byte, f *file, in *input) ([]byte, error) {
	t.lay(in)
	f.width = t.width()
	return t.header(dst), nil
}

func (t *table) width() int {
	if t.shaped != nil {
		return len(t.shaped)
	}
	return len(t.heads)
}

func (t *table) header(dst []byte) []byte {
	var cells []string
	for _, c := range t.shaped {
		cells = append(cells, t.text(c.Name.Value))
	}
	for _, h := range t.heads {
		cells = append(cells, t.text(h.name))
	}
	return t.line(dst, cells)
}

// lay makes the default columns, once, with the first record's help.
func (t *table) lay(in *input) {
	if t.laid || t.shaped != nil {
		return
	}
	t.laid = true
	t.heads = []head{{name: "row", kind: rowHead}, {name: "id", kind: idHead}}
	for i := range t.columns {
		t.layVariable(i, in)
	}
	t.heads = append(t.heads,
		head{name: "response", kind: responseHead}, head{name: "model", kind: modelHead},
		head{name: "success", kind: successHead}, head{name: "error", kind: errorHead},
		head{name: "error_class", kind: classHead})
}

func (t *table) layVariable(i int, in *input) {
	c := t.columns[i]
	fields := c.fields
	if !c.known && in != nil {
		if m, ok := in.row.Vars[c.name].(map[string]any); ok {
			fields = c.others(m)
		}
	}
	for _, field := range fields {
		t.addField(i, field)
	}
	if len(fields) == 0 {
		t.addPlain(i)
	}
}

// addPlain adds the column of a variable that is no object. One with the name of
// another column is told apart as the record does it, where it stands in vars.
func (t *table) addPlain(i int) {
	name := t.columns[i].name
	switch name {
	case "id", "model", "error_class":
		name = "vars." + name
	}
	t.heads = append(t.heads, head{name: name, kind: varHead, from: i})
}

func (t *table) addField(i int, field string) {
	t.heads = append(t.heads, head{name: t.columns[i].name + "." + field, kind: fieldHead, field: field, from: i})
}

func (t *table) record(dst []byte, _ *file, in *input) ([]byte, error) {
	var cells []string
	if t.shaped != nil {
		for _, c := range t.shaped {
			cells = append(cells, t.cell(in.cell(c)))
		}
		return t.line(dst, cells), nil
	}
	t.lay(in)
	t.addLate(in)
	for _, h := range t.heads {
		cells = append(cells, t.cell(t.value(h, in)))
	}
	return t.line(dst, cells), nil
}

// addLate adds the columns that this record needs and no earlier one did.
func (t *table) addLate(in *input) {
	for i, c := range t.columns {
		v := in.row.Vars[c.name]
		m, isObject := v.(map[string]any)
		plain := t.has(i, "", varHead)
		if !isObject && v != nil && !plain {
			t.addPlain(i)
		}
		if !isObject || plain && !t.hasFields(i) {
			continue // an object among texts is JSON in their column
		}
		for _, field := range c.others(m) {
			if !t.has(i, field, fieldHead) {
				t.addField(i, field)
			}
		}
	}
}

func (t *table) has(i int, field string, k kind) bool {
	return slices.ContainsFunc(t.heads, func(h head) bool { return h.kind == k && h.from == i && h.field == field })
}

func (t *table) hasFields(i int) bool {
	return slices.ContainsFunc(t.heads, func(h head) bool { return h.kind == fieldHead && h.from == i })
}

func (t *table) value(h head, in *input) any {
	switch h.kind {
	case rowHead:
		return strconv.FormatInt(in.row.Number, 10)
	case idHead:
		return in.row.ID
	case varHead:
		return t.variable(h, in)
	case fieldHead:
		m, _ := in.row.Vars[t.columns[h.from].name].(map[string]any)
		return m[h.field]
	case modelHead:
		return modelOf(shown(in.rec))
	case successHead:
		return in.failed == nil
	}
	return outcome(h.kind, in)
}

func outcome(k kind, in *input) any {
	switch {
	case in.failed == nil && k == responseHead:
		return in.rec.Last().Answer.Response
	case in.failed != nil && k == errorHead:
		return in.failed.Err.Message
	case in.failed != nil && k == classHead:
		return string(in.failed.Err.Class)
	}
	return nil
}

// variable gives what stands in the column of a variable that is no object. An
// object stands there only where it has no columns of its own.
func (t *table) variable(h head, in *input) any {
	v := in.row.Vars[t.columns[h.from].name]
	if _, isObject := v.(map[string]any); isObject && t.hasFields(h.from) {
		return nil
	}
	return v
}

// cell gives a value's text, made harmless unless it is a number.
func (t *table) cell(v any) string {
	s := cellText(v)
	if _, isText := v.(string); isText {
		return t.text(s)
	}
	return s
}

func (t *table) text(s string) string {
	if t.safe {
		return harmless(s)
	}
	return s
}

// line appends a line. One with a single empty cell has quotes, since readers skip
// empty lines.
func (t *table) line(dst []byte, cells []string) []byte {
	if len(cells) == 1 && cells[0] == "" {
		return append(dst, "\"\"\n"...)
	}
	for i, s := range cells {
		if i > 0 {
			dst = append(dst, t.comma)
		}
		dst = appendCell(dst, s, t.comma)
	}
	return append(dst, '\n')
}

func (t *table) end(dst []byte, _ *file) []byte { return dst }
