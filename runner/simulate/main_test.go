package simulate

import (
	"context"
	"net"
	"regexp"
	"testing"

	"github.com/sourcegraph/conc"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listening serves on a free port until done is called, which waits for the server
// and fails the test if it did not end well.
func listening(t testing.TB, s *Server) (l net.Listener, done func()) {
	t.Helper()
	l, err := Listen("")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg conc.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	return l, func() {
		stop()
		wg.Wait()
	}
}

func pattern(text string) *regexp.Regexp { return regexp.MustCompile(text) }
