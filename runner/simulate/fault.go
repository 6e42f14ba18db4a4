package simulate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Fault says which requests go wrong, and how. Of several that fit a request the
// first counts.
type Fault struct {
	Kind string // one of Kinds
	// Match and Model say which requests: Match fits the newest message of the user
	// or the model's name, Model the model's name alone. Nil fits all.
	Match, Model *regexp.Regexp
	// Times is how many attempts at one thing (one model, messages and format) go
	// wrong; the next ones go well. 0: all of them.
	Times int
	// Share is the part of the things asked that is hit, from 0 to 1, chosen by
	// their content. The shares of several faults add up: each takes a part of its
	// own. 0: all of them.
	Share float64
	// After is how many pieces of an answer come before kinds that strike in the
	// middle. 0 means 1; a negative number means none.
	After int
	// For is how long kinds last that take time; 0 means the kind's own duration.
	For time.Duration
	// On is which requests: "ask" (with a prompt; the default), "load" (without),
	// "version", "tags", "show", "ps", "pull", "root", or "any".
	On string

	kind *kind // set by newInjector and ParseFault
}

// places are the values of Fault.On.
var places = []string{"any", "ask", "load", "ps", "pull", "root", "show", "tags", "version"}

// A KindInfo is one kind of fault, for help texts.
type KindInfo struct {
	Name string
	Doc  string // one line
}

// Kinds are the kinds of faults there are, by name.
func Kinds() []KindInfo {
	infos := make([]KindInfo, 0, len(kinds))
	for _, k := range kinds {
		infos = append(infos, KindInfo{k.name, k.doc})
	}
	slices.SortFunc(infos, func(a, b KindInfo) int { return cmp.Compare(a.Name, b.Name) })
	return infos
}

// check fills in the kind, and says what is wrong with a fault.
func (f *Fault) check() error {
	f.kind = kindOf(f.Kind)
	switch {
	case f.kind == nil:
		return fmt.Errorf("unknown kind of fault %q%s", f.Kind, didYouMean(f.Kind, kindNames()))
	case f.On != "" && !slices.Contains(places, f.On):
		return fmt.Errorf("on=%q is no kind of request%s; there are %s", f.On, didYouMean(f.On, places), strings.Join(places, ", "))
	case f.on() != "ask" && f.kind.before == nil:
		return fmt.Errorf("%s spoils an answer, so it can't be on=%s; leave out on", f.Kind, f.On)
	case f.Times < 0:
		return fmt.Errorf("times=%d must not be negative", f.Times)
	case !(f.Share >= 0 && f.Share <= 1):
		return fmt.Errorf("share=%v must be from 0 to 1, or from 0%% to 100%%", f.Share)
	case f.For < 0:
		return fmt.Errorf("for=%v must not be negative", f.For)
	}
	return nil
}

func (f *Fault) on() string { return cmp.Or(f.On, "ask") }

func (f *Fault) is(kind string) bool { return f != nil && f.Kind == kind }

// after is how many pieces come before the fault.
func (f *Fault) after() int {
	if f.After == 0 {
		return 1
	}
	return max(f.After, 0)
}

func (f *Fault) lasts() time.Duration { return cmp.Or(f.For, f.kind.lasts) }

// strikesWithin says whether the fault breaks the sending of an answer.
func (f *Fault) strikesWithin() bool { return f != nil && f.kind.within != nil }

// harmless says whether a good answer follows.
func (f *Fault) harmless() bool { return f.kind.harmless || f.Kind == "stall" && f.For > 0 }

// String gives the fault as ParseFault reads it.
func (f Fault) String() string {
	parts := []string{f.Kind}
	add := func(given bool, key, value string) {
		if given {
			parts = append(parts, key+"="+value)
		}
	}
	add(f.After != 0, "after", strconv.Itoa(max(f.After, 0)))
	if f.Match != nil {
		add(true, "match", quoteValue(f.Match.String()))
	}
	if f.Model != nil {
		add(true, "model", quoteValue(f.Model.String()))
	}
	add(f.Times != 0, "times", strconv.Itoa(f.Times))
	add(f.Share != 0, "share", strconv.FormatFloat(f.Share, 'f', -1, 64))
	add(f.For != 0, "for", f.For.String())
	add(f.On != "", "on", f.On)
	return strings.Join(parts, " ")
}

func quoteValue(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// An injector chooses the fault that a request meets.
type injector struct {
	faults []Fault
	from   []float64 // where the share of each begins
	seed   uint64

	mu  sync.Mutex
	met map[meeting]int
}

// A meeting is one fault and one thing asked.
type meeting struct {
	fault int
	key   string
}

func newInjector(cfg Config) *injector {
	in := &injector{faults: slices.Clone(cfg.Faults), from: make([]float64, len(cfg.Faults)), seed: cfg.Seed, met: map[meeting]int{}}
	taken := map[string]float64{}
	for i := range in.faults {
		f := &in.faults[i]
		if err := f.check(); err != nil {
			panic("simulate: " + err.Error())
		}
		in.from[i] = taken[f.on()]
		taken[f.on()] += f.Share
	}
	return in
}

// pick gives the fault that a request meets, nil for none. Requests of the control
// plane have no question.
func (in *injector) pick(on string, q *question) *Fault {
	if len(in.faults) == 0 {
		return nil
	}
	if q == nil {
		q = &question{key: on}
	}
	for i := range in.faults {
		f := &in.faults[i]
		if (f.on() == on || f.On == "any") && f.fits(q) && in.hits(i, q) && in.takes(i, q.key) {
			return f
		}
	}
	return nil
}

func (f *Fault) fits(q *question) bool {
	return (f.Match == nil || f.Match.MatchString(q.last()) || f.Match.MatchString(q.Model)) &&
		(f.Model == nil || f.Model.MatchString(q.Model))
}

// hits says whether a question lies in the fault's share. Shares that add up to
// more than 1 begin anew.
func (in *injector) hits(i int, q *question) bool {
	share := in.faults[i].Share
	if share == 0 || share >= 1 {
		return true
	}
	at := asShare(mix(q.place^mix(in.seed+1))) - in.from[i]
	at -= float64(int(at))
	if at < 0 {
		at++
	}
	return at < share
}

// takes counts the fault's meeting with a thing, and says whether it may strike.
func (in *injector) takes(i int, key string) bool {
	times := in.faults[i].Times
	if times == 0 {
		return true
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	m := meeting{i, key}
	if in.met[m] >= times {
		return false
	}
	in.met[m]++
	return true
}
