package simulate

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// keepAlive is how long an idle model stays in memory by default.
const keepAlive = 5 * time.Minute

var (
	errBusy = errors.New("server busy, please try again.  maximum pending requests exceeded")
	errGone = errors.New("request canceled") // the client left, or the server went down
)

// A scheduler brings models into memory and hands out their slots. It has no
// goroutine of its own: whoever waits does the work when its turn has come.
//
// Requests for a model in memory go to its slots, first come first served. All
// others stand in one line, and the first of the line makes room and loads its
// model while the others wait, as in server/sched.go (processPending). A model
// that is to make room takes no new requests and leaves when its last one ends.
type scheduler struct {
	cfg     Config
	history *history
	now     chan struct{} // closed: the turn of those who need not wait

	mu      sync.Mutex
	loaded  map[string]*instance // by full name
	line    []chan struct{}      // those who wait to load a model; the first has the turn
	waiting int                  // for slots
	uses    int64                // counts acquisitions, to tell which instance was used last
}

// An instance is a model in memory, or on its way there. Its fields belong to the
// scheduler's mutex.
type instance struct {
	entry   *entry
	options loadOptions
	ready   chan struct{} // closed when it is loaded, or has failed to
	failed  bool
	gone    chan struct{} // closed when it has left memory
	leaving bool          // takes no new requests

	refs      int             // requests that use it or wait for it
	busy      int             // slots taken
	queue     []chan struct{} // requests that wait for a slot, in the order they came
	keepAlive time.Duration
	expires   time.Time // when it leaves, if idle
	used      int64
}

func newScheduler(cfg Config, h *history) *scheduler {
	now := make(chan struct{})
	close(now)
	return &scheduler{cfg: cfg, history: h, now: now, loaded: map[string]*instance{}}
}

// A lease is a request's use of a model in memory, and its place among those that
// wait for a slot: the place is taken when the request comes, also while the model
// is still being loaded.
type lease struct {
	*instance
	turn chan struct{} // closed when the request has a slot; nil where it needs none
}

// acquire gives the model in memory, loaded with what the question asks for. The
// caller must release it.
func (s *scheduler) acquire(l life, q *question) (*lease, error) {
	for {
		held, err := s.enter(l, q)
		if err != nil {
			return nil, err
		}
		if !l.until(held.ready) {
			s.release(held)
			return nil, errGone
		}
		if !held.failed {
			return held, nil
		}
		s.release(held) // whoever loaded it left; now it's ours to load
	}
}

// slot waits for the request's turn.
func (s *scheduler) slot(l life, held *lease) error {
	if !l.until(held.turn) {
		return errGone
	}
	return nil
}

// enter gives an instance that is loaded or about to be.
func (s *scheduler) enter(l life, q *question) (*lease, error) {
	s.mu.Lock()
	if i := s.usable(q); i != nil {
		defer s.mu.Unlock()
		return s.hold(i, q)
	}
	if len(s.line) > s.cfg.MaxQueue {
		s.mu.Unlock()
		return nil, errBusy
	}
	turn := make(chan struct{})
	s.line = append(s.line, turn)
	if len(s.line) == 1 {
		close(turn)
	}
	s.mu.Unlock()
	defer s.pass(turn)
	if !l.until(turn) {
		return nil, errGone
	}
	return s.load(l, q)
}

// pass takes a request out of the line and gives the turn to the next if it had it.
func (s *scheduler) pass(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.line, turn)
	s.line = slices.Delete(s.line, at, at+1)
	if at == 0 && len(s.line) > 0 {
		close(s.line[0])
	}
}

// usable finds the model in memory, if it serves the question.
func (s *scheduler) usable(q *question) *instance {
	s.expire()
	i := s.loaded[q.entry.full]
	if i == nil || i.leaving || !i.options.fits(q.options.load) {
		return nil
	}
	return i
}

// expire lets models go whose time has run out.
func (s *scheduler) expire() {
	now := s.cfg.Clock.Now()
	for _, i := range s.loaded {
		if i.refs == 0 && !now.Before(i.expires) {
			s.remove(i)
		}
	}
}

// hold gives a lease of an instance that is loaded or about to be.
func (s *scheduler) hold(i *instance, q *question) (*lease, error) {
	held := &lease{instance: i}
	if q.asked() {
		full := i.busy >= s.cfg.Parallel || len(i.queue) > 0
		if full && s.cfg.MaxWaiting > 0 && s.waiting >= s.cfg.MaxWaiting {
			return nil, errBusy
		}
		if full {
			held.turn = make(chan struct{})
			i.queue = append(i.queue, held.turn)
			s.waiting++
		} else {
			held.turn = s.now
			i.busy++
		}
	}
	i.refs++
	s.uses++
	i.used = s.uses
	if keep := q.keep(); keep != nil {
		i.keepAlive = *keep
	}
	return held, nil
}

// load has the turn: it makes room until there is some, then loads.
func (s *scheduler) load(l life, q *question) (*lease, error) {
	for {
		s.mu.Lock()
		if i := s.usable(q); i != nil {
			held, err := s.hold(i, q)
			s.mu.Unlock()
			return held, err
		}
		out := s.inTheWay(q)
		if out == nil {
			held, err := s.start(q)
			s.mu.Unlock()
			if err != nil {
				return nil, err
			}
			return s.fill(l, held)
		}
		out.leaving = true
		if out.refs == 0 {
			s.remove(out)
		}
		s.mu.Unlock()
		if !l.until(out.gone) {
			return nil, errGone
		}
	}
}

// inTheWay is the model that must leave before the question's can be loaded: the
// same one with other options, or the one used longest ago, idle ones first.
func (s *scheduler) inTheWay(q *question) *instance {
	if i := s.loaded[q.entry.full]; i != nil {
		return i
	}
	if len(s.loaded) < s.cfg.MaxLoaded {
		return nil
	}
	var out *instance
	for _, i := range s.loaded {
		if out == nil || (i.refs == 0) != (out.refs == 0) && i.refs == 0 || (i.refs == 0) == (out.refs == 0) && i.used < out.used {
			out = i
		}
	}
	return out
}

func (s *scheduler) start(q *question) (*lease, error) {
	i := &instance{
		entry: q.entry, options: q.options.load, keepAlive: keepAlive,
		ready: make(chan struct{}), gone: make(chan struct{}),
	}
	s.loaded[q.entry.full] = i
	s.history.loads(s.cfg.Clock.Now(), q)
	return s.hold(i, q)
}

// fill takes the time a load takes.
func (s *scheduler) fill(l life, held *lease) (*lease, error) {
	ok := l.wait(s.cfg.Clock, s.cfg.paced(held.entry.timing.Load))
	if !ok {
		s.mu.Lock()
		held.failed = true
		s.remove(held.instance)
		s.mu.Unlock()
	}
	close(held.ready)
	if !ok {
		s.release(held)
		return nil, errGone
	}
	return held, nil
}

// release ends a request's use of a model: its slot goes to the request that has
// waited longest.
func (s *scheduler) release(held *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := held.instance
	if held.turn != nil {
		s.giveBack(i, held.turn)
	}
	i.refs--
	i.expires = s.cfg.Clock.Now().Add(i.keepAlive)
	if i.refs == 0 && (i.leaving || i.keepAlive <= 0) {
		s.remove(i)
	}
}

func (s *scheduler) giveBack(i *instance, turn chan struct{}) {
	at := slices.Index(i.queue, turn)
	switch {
	case at >= 0: // it left before its turn came
		i.queue = slices.Delete(i.queue, at, at+1)
		s.waiting--
	case len(i.queue) > 0:
		close(i.queue[0])
		i.queue = i.queue[1:]
		s.waiting--
	default:
		i.busy--
	}
}

// remove takes an instance out of memory.
func (s *scheduler) remove(i *instance) {
	i.leaving = true
	if s.loaded[i.entry.full] == i {
		delete(s.loaded, i.entry.full)
	}
	select {
	case <-i.gone:
	default:
		close(i.gone)
	}
}

// unload makes a model leave as soon as it is idle.
func (s *scheduler) unload(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.loaded[e.full]; i != nil {
		s.leave(i)
	}
}

// forget makes all models leave.
func (s *scheduler) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.loaded {
		s.leave(i)
	}
}

func (s *scheduler) leave(i *instance) {
	i.leaving = true
	if i.refs == 0 {
		s.remove(i)
	}
}

// A resident is a model in memory, as /api/ps shows it.
type resident struct {
	entry   *entry
	numCtx  int
	onGPU   bool
	expires time.Time
}

// residents gives the models in memory, those that stay longest first.
func (s *scheduler) residents() []resident {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	now := s.cfg.Clock.Now()
	list := make([]resident, 0, len(s.loaded))
	for _, i := range s.loaded {
		expires := i.expires
		if i.refs > 0 || expires.IsZero() {
			expires = now.Add(i.keepAlive)
		}
		list = append(list, resident{i.entry, i.options.numCtx, i.options.numGPU != 0, expires})
	}
	slices.SortFunc(list, func(a, b resident) int {
		if c := b.expires.Compare(a.expires); c != 0 {
			return c
		}
		return compareNames(a.entry, b.entry)
	})
	return list
}
