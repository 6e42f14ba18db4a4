package runner

import "sync"

// A mailbox hands letters to the one goroutine that reads it. Putting never
// blocks, so what bounds its size is the senders' business: calls in flight, rows
// in the window.
type mailbox[T any] struct {
	mu      sync.Mutex
	letters []T
	closed  bool
	wake    chan struct{} // has a value after something changed
}

func newMailbox[T any]() *mailbox[T] {
	return &mailbox[T]{wake: make(chan struct{}, 1)}
}

// put adds a letter and wakes the reader.
func (m *mailbox[T]) put(letter T) {
	m.mu.Lock()
	m.letters = append(m.letters, letter)
	m.mu.Unlock()
	m.nudge()
}

// nudge wakes the reader without a letter.
func (m *mailbox[T]) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// close says that no letter follows. Those already there can still be taken.
func (m *mailbox[T]) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.nudge()
}

// take returns all letters at once, none if there are none. It keeps read, the
// letters of an earlier take that are done with, for the next ones.
func (m *mailbox[T]) take(read []T) []T {
	clear(read)
	m.mu.Lock()
	defer m.mu.Unlock()
	letters := m.letters
	m.letters = read[:0]
	return letters
}

// await is take that waits for a letter; none means that the mailbox is closed.
func (m *mailbox[T]) await(read []T) []T {
	for {
		letters := m.take(read)
		if len(letters) > 0 || m.ended() {
			return letters
		}
		read = letters
		<-m.wake
	}
}

// ended says whether the mailbox is closed and empty.
func (m *mailbox[T]) ended() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed && len(m.letters) == 0
}
