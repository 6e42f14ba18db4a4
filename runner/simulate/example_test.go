package simulate_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sourcegraph/conc"

	"github.com/batchrunner/runner/runner/simulate"
)

// A server on a free port, for as long as the context lives.
func ExampleServer_Serve() {
	s := simulate.New(simulate.Config{Parallel: 4})
	l, err := simulate.Listen("")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var wg conc.WaitGroup
	wg.Go(func() { _ = s.Serve(ctx, l) })

	ask := strings.NewReader(`{"model":"gemma3:12b","stream":false,"messages":[{"role":"user","content":"Translate to Spanish: Hello, how are you?"}]}`)
	transport := &http.Transport{}
	r, err := (&http.Client{Transport: transport}).Post("http://"+l.Addr().String()+"/api/chat", "application/json", ask)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Body.Close()
	defer transport.CloseIdleConnections()
	text, _ := io.ReadAll(r.Body)
	fmt.Println(string(text))
	fmt.Println(s.History().Outcomes)

	stop()
	wg.Wait()
	// Output:
	// {"model":"gemma3:12b","created_at":"2026-01-01T00:00:00.298Z","message":{"role":"assistant","content":"Helló, hów aré yoú? [Spanish, simulated]"},"done":true,"done_reason":"stop","total_duration":299000000,"load_duration":1000000,"prompt_eval_count":16,"prompt_eval_duration":38000000,"eval_count":13,"eval_duration":260000000}
	// map[answered:1]
}

func ExampleParseFault() {
	f, err := simulate.ParseFault("reset after=3 match='row 17' times=1")
	fmt.Println(f, err)
	_, err = simulate.ParseFault("rest times=1")
	fmt.Println(err)
	// Output:
	// reset after=3 match='row 17' times=1 <nil>
	// unknown kind of fault "rest"; did you mean "reset"?
}
