package templates

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"text/template"
	"time"
)

// limits bound one rendering, so that no template can hang or exhaust the machine.
type limits struct {
	steps  int           // loop iterations and calls of defined templates
	depth  int           // defined templates within each other
	bytes  int64         // what functions may allocate, counted before they do
	output int           // bytes of the rendered text
	time   time.Duration // from the start to the last check
	work   int64         // units of about a nanosecond: what a regular expression or a sort may cost
	now    func() time.Time
}

// standard are the limits of every template; tests set their own. No prompt comes
// near them: a context of 256k tokens is about 1 MiB.
var standard = limits{
	steps:  100_000,
	depth:  100,
	bytes:  32 << 20,
	output: 4 << 20,
	time:   time.Second,
	work:   1_000_000_000,
	now:    time.Now,
}

// The limits of a template's text. Nesting bounds the stack of text/template's
// parser, which is recursive; variables are searched one by one.
const (
	maxText      = 1 << 20
	maxNesting   = 200
	maxVariables = 1000
	maxValueDeep = 100 // nesting of a value that is printed, compared or merged
)

// A rendering is a template made ready to run: text/template's own form of it,
// its functions bound to one budget. Renderings are pooled, since making one takes
// longer than running it.
type rendering struct {
	tmpl   *template.Template
	budget *budget
}

func (t *Template) acquire() *rendering {
	r, ok := t.pool.Get().(*rendering)
	if !ok {
		r = t.newRendering()
	}
	r.budget.reset()
	return r
}

func (t *Template) release(r *rendering) {
	const keep = 64 << 10 // a buffer larger than most prompts is not worth its memory
	if cap(r.budget.out) > keep {
		r.budget.out = nil
	}
	r.budget.kept = nil
	t.pool.Put(r)
}

func (t *Template) newRendering() *rendering {
	b := &budget{limits: &t.limits}
	bound := template.FuncMap{
		textFunc: b.printed, condFunc: condition, tickFunc: b.tick, lookFunc: b.look, enterFunc: b.enter, leaveFunc: b.leave,
		eachFunc: b.each, pairsFunc: b.pairs,
	}
	for _, f := range t.used {
		if f.call != nil {
			bound[f.name] = f.bind(b)
		}
	}
	tmpl := template.New(mainName).Option("missingkey=error").Funcs(bound)
	for name, tree := range t.trees {
		if _, err := tmpl.AddParseTree(name, tree); err != nil {
			panic(err) // fails only for an html/template
		}
	}
	return &rendering{tmpl: tmpl, budget: b}
}

// run renders into the budget's buffer. A panic inside text/template becomes an
// error: whatever a template does to it, the process lives on.
func (r *rendering) run(scope map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return r.tmpl.Execute(r.budget, scope)
}

// A budget is what is left to one rendering, and what it has made so far.
type budget struct {
	limits  *limits
	steps   int
	depth   int
	bytes   int64
	work    int64
	checked int64 // work at the last look at the clock
	end     time.Time
	keep    bool // the one action's value is wanted, not its text
	kept    any
	out     []byte
	regexps map[string]*regexp.Regexp
}

var _ io.Writer = (*budget)(nil)

func (b *budget) reset() {
	b.steps, b.depth, b.bytes, b.work, b.checked = 0, 0, 0, 0, 0
	b.keep, b.kept = false, nil
	b.out = b.out[:0]
	b.end = b.limits.now().Add(b.limits.time)
}

// Write takes the next piece of the rendered text.
func (b *budget) Write(p []byte) (int, error) {
	if len(b.out)+len(p) > b.limits.output {
		return 0, tooMuch("the rendered text passes the limit of %s", size(int64(b.limits.output)))
	}
	b.out = append(b.out, p...)
	return len(p), nil
}

// step counts iterations and calls of templates.
func (b *budget) step(n int64) error {
	const cost = 200 // units of work, about what an empty iteration takes
	if n > int64(b.limits.steps-b.steps) {
		return tooMuch("rendering takes more than %d steps (rounds of range, calls of templates)", b.limits.steps)
	}
	b.steps += int(n)
	return b.spend(n * cost)
}

// tick stands at the head of loops that may end early.
func (b *budget) tick() (bool, error) { return false, b.step(1) }

// look stands at the head of loops with long bodies.
func (b *budget) look() (bool, error) { return false, b.clock() }

// enter stands at the head of every defined template, leave at its end.
func (b *budget) enter() (bool, error) {
	b.depth++
	if b.depth > b.limits.depth {
		return false, stopped("templates call each other more than %d deep", b.limits.depth)
	}
	if err := b.step(1); err != nil {
		return false, err
	}
	return b.look()
}

func (b *budget) leave() bool {
	b.depth--
	return false
}

// take counts n bytes that are about to be allocated.
func (b *budget) take(n int64) error {
	if n < 0 || n > b.limits.bytes-b.bytes {
		return failed("needs more memory than the %s that a rendering may use", size(b.limits.bytes))
	}
	b.bytes += n
	return b.spend(n)
}

// takeEach counts n things of a size each.
func (b *budget) takeEach(n, each int64) error {
	if n < 0 || each < 0 || each > 0 && n > b.limits.bytes/each {
		return b.take(b.limits.bytes + 1)
	}
	return b.take(n * each)
}

// spend counts work, and looks at the clock every 64 Ki units.
func (b *budget) spend(n int64) error {
	const interval = 64 << 10
	if n > b.limits.work-b.work {
		return failed("takes too long for one rendering")
	}
	b.work += n
	if b.work-b.checked < interval {
		return nil
	}
	return b.clock()
}

// clock ends a rendering whose time is over.
func (b *budget) clock() error {
	b.checked = b.work
	if b.limits.now().After(b.end) {
		return tooMuch("rendering takes longer than %s", b.limits.time)
	}
	return nil
}

// A failure is why a function or a bound stopped a rendering. In a function's
// failure the message begins with a verb, and the function's name goes before it.
type failure struct {
	message string
	help    string
	whole   bool     // the message is complete without the function's name
	null    bool     // a printed null: explain knows what was printed
	missing []string // index: the keys followed, the last of which is not there
}

func (f *failure) Error() string { return f.message }

func failed(format string, args ...any) error {
	return &failure{message: fmt.Sprintf(format, args...)}
}

// of puts a subject before a failure's message, unless that is complete.
func (f *failure) of(subject string) *failure {
	if f.whole {
		return f
	}
	named := *f
	named.whole, named.null = true, false
	named.message = subject + " " + f.message
	return &named
}

var errNull = &failure{message: "gets null", null: true}

// stopped is a failure of the whole rendering: which function met the bound says little.
func stopped(format string, args ...any) error {
	return &failure{message: fmt.Sprintf(format, args...), whole: true}
}

// tooMuch stops a rendering that passes a limit.
func tooMuch(format string, args ...any) error {
	return &failure{message: fmt.Sprintf(format, args...), help: "let it go over less of the data, or prepare the text beforehand", whole: true}
}

func isFailure(err error) (*failure, bool) {
	var f *failure
	ok := errors.As(err, &f)
	return f, ok
}

func size(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
