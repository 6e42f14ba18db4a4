package pipeline

import (
	"io/fs"
	"slices"

	"github.com/batchrunner/runner/specs"
)

// Build makes a job's plan. Data files are read through data, the root; small ones,
// and those of all axes but the first, are read now. Errors are *Error, several of
// them joined (errors.Join): data that can't be read, an axis without values, a matrix
// without rows.
//
// A row's id is its number in decimal, unless the job has row_id. Ids that the job
// gives are checked to be unique as rows are made; that takes 30 to 60 bytes of
// memory a row, and nothing else in a plan grows with the number of rows.
func Build(job *specs.Job, data fs.FS) (*Plan, error) {
	b := &builder{job: job, data: data}
	m, err := b.matrix()
	if err != nil {
		return nil, err
	}
	p := &Plan{
		Name:        job.Name,
		Rows:        m.rows(),
		Columns:     m.names,
		Env:         job.Env,
		Concurrency: job.Concurrency,
		Rate:        job.Rate,
		MaxFailures: job.MaxFailures,
		Bench:       job.Bench,
		matrix:      m,
	}
	p.Effects, p.Total = m.effects()
	p.Total = times(p.Total, m.bench.copies())
	if p.Total == 0 {
		return nil, b.noRows()
	}
	p.steps = makeSteps(job, p)
	for _, s := range p.steps {
		p.Steps = append(p.Steps, s.step())
	}
	return p, nil
}

type builder struct {
	job  *specs.Job
	data fs.FS
}

func (b *builder) matrix() (*matrix, error) {
	m := &matrix{constants: map[string]any{}, rowID: b.job.RowID, env: envScope(b.job.Env), bench: repeating(b.job)}
	if m.rowID != nil {
		m.idNeeds = needsOf(m.rowID)
	}
	for _, v := range b.job.Vars {
		m.constants[v.Name.Value] = v.Value
	}
	var mistakes []error
	for i := range b.job.Axes {
		x, err := b.axis(&b.job.Axes[i], i == 0)
		if err == nil {
			err = b.checkSize(&b.job.Axes[i], x)
		}
		if err != nil {
			mistakes = append(mistakes, err)
		}
		m.axes = append(m.axes, x)
		m.names = append(m.names, b.job.Axes[i].Name.Value)
	}
	b.entries(m)
	m.names = append(m.names, m.bench.names()...)
	return m, join(mistakes)
}

func (b *builder) entries(m *matrix) {
	for i := range b.job.Exclude {
		m.exclude = append(m.exclude, b.condition(&b.job.Exclude[i], m))
	}
	for i := range b.job.Include {
		e := b.entry(&b.job.Include[i])
		m.include = append(m.include, e)
		for _, a := range e.adds {
			if !slices.Contains(m.names, a.name) {
				m.names = append(m.names, a.name)
			}
		}
	}
}

// entry splits an entry in what it says of axes and what it adds.
func (b *builder) entry(given *specs.Entry) entry {
	var e entry
	for _, name := range given.Names {
		value := given.Values[name.Value]
		if i := b.index(name.Value); i >= 0 {
			e.on = append(e.on, condition{i, value})
		} else {
			e.adds = append(e.adds, addition{name.Value, value})
		}
	}
	return e
}

// condition makes an entry of exclude. What it says of a constant holds for every
// row or for none.
func (b *builder) condition(given *specs.Entry, m *matrix) entry {
	e := b.entry(given)
	for _, a := range e.adds {
		constant, ok := m.constants[a.name]
		e.never = e.never || !ok || !matches(a.value, constant)
	}
	e.adds = nil
	return e
}

func (b *builder) index(name string) int {
	return slices.IndexFunc(b.job.Axes, func(a specs.Axis) bool { return a.Name.Value == name })
}

func (b *builder) noRows() error {
	e := &Error{File: b.job.File, Message: "the matrix has no rows", Help: "exclude drops all of them"}
	if len(b.job.Exclude) > 0 {
		e.Pos = b.job.Exclude[0].Pos
	}
	return e
}
