package pipeline

import (
	"fmt"
	"iter"
	"maps"
	"strconv"
	"strings"
)

// rows gives the matrix's rows in order: the product of the axes less what is
// excluded, with what include adds, then the include entries that joined no row.
func (m *matrix) rows() iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		w := &walk{matrix: m, joined: make([]bool, len(m.include)), ids: newIDs(), yield: yield}
		_ = (m.onlyIncludes() || w.product()) && w.alone()
	}
}

// A walk is one pass over the rows.
type walk struct {
	*matrix
	number int64
	joined []bool // by include entry
	ids    *ids
	yield  func(*Row, error) bool
}

// product yields the rows of the axes. It is false when the walk is over.
func (w *walk) product() bool {
	for values := range product(w.axes) {
		if e, ok := stopped(values); ok {
			w.yield(nil, fromData(nil, e.err))
			return false
		}
		if w.excluded(values, nil) {
			continue
		}
		if !w.emit(w.variables(values)) {
			return false
		}
	}
	return true
}

func stopped(values []any) (end, bool) {
	if len(values) == 0 {
		return end{}, false
	}
	e, ok := values[0].(end)
	return e, ok
}

// variables makes a row's variables: constants, then axes, then what include adds. The
// error is that of a value that could not be read, and which is missing then.
func (w *walk) variables(values []any) (map[string]any, error) {
	var err error
	vars := make(map[string]any, len(w.constants)+len(w.names))
	maps.Copy(vars, w.constants)
	for i, v := range values {
		if b, ok := v.(bad); ok {
			err = b.err
			continue
		}
		vars[w.axes[i].name] = v
	}
	for i := range w.include {
		if w.include[i].matches(values) {
			w.joined[i] = true
			w.include[i].addTo(vars)
		}
	}
	return vars, err
}

func (e *entry) addTo(vars map[string]any) {
	for _, a := range e.adds {
		vars[a.name] = a.value
	}
}

// alone yields a row for each include entry that joined none. It has the entry's
// values only, over the constants.
func (w *walk) alone() bool {
	for i := range w.include {
		if w.joined[i] {
			continue
		}
		vars := maps.Clone(w.constants)
		for _, c := range w.include[i].on {
			vars[w.axes[c.axis].name] = c.want
		}
		w.include[i].addTo(vars)
		if !w.emit(vars, nil) {
			return false
		}
	}
	return true
}

// emit yields a combination's row, in a benchmark one for each load and repetition.
func (w *walk) emit(vars map[string]any, err error) bool {
	if w.bench == nil {
		return w.emitRow(&Row{Vars: vars}, err)
	}
	for row := range w.bench.rows(vars) {
		if !w.emitRow(row, err) {
			return false
		}
	}
	return true
}

// emitRow numbers a row, gives it its id and yields it.
func (w *walk) emitRow(row *Row, err error) bool {
	row.Number, row.ID = w.number, strconv.FormatInt(w.number, 10)
	w.number++
	if err != nil {
		return w.yield(row, fromData(row, err))
	}
	if w.rowID != nil {
		if e := w.identify(row); e != nil {
			return w.yield(row, e)
		}
	}
	return w.yield(row, nil)
}

// identify renders a row's id. A row whose id can't be made or is not unique keeps
// its number for one.
func (w *walk) identify(row *Row) *Error {
	id, err := w.rowID.Render(w.idScope(row))
	if err != nil {
		return fromTemplate(w.rowID, "", row, err)
	}
	if strings.TrimSpace(id) == "" {
		return w.wrongID(row, "its id is empty", "row_id must give each row a text of its own")
	}
	id += w.bench.suffix(row)
	if first, ok := w.ids.add(id, row.Number); !ok {
		return w.wrongID(row, fmt.Sprintf("its id %q is also that of row %d", id, first), "ids must be unique: name more variables in row_id")
	}
	row.ID = id
	return nil
}

// idScope is what row_id sees: a row's variables, and .env if it reads that.
func (w *walk) idScope(row *Row) map[string]any {
	if !w.idNeeds.env {
		return row.Vars
	}
	scope := maps.Clone(row.Vars)
	scope["env"] = w.env
	return scope
}

func (w *walk) wrongID(row *Row, message, help string) *Error {
	return &Error{File: w.rowID.File, Pos: w.rowID.Start, Row: row, Message: message, Help: help}
}
