//go:build e2e && unix

package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is for one step in the browser, on a machine that does much else.
const patience = 2 * time.Minute

// findBrowser is the Chromium to test with.
func findBrowser() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium to open a report with; install it (Debian: chromium), or name one in CHROMIUM")
}

// startBrowser starts a browser that asks nothing of anyone by itself, with a profile of
// its own, and ends it with the test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := findBrowser()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "runner-e2e-browser-")
	if err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), // containers have little of it
		chromedp.Flag("force-color-profile", "srgb"),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		end()
		stop()
		_ = os.RemoveAll(profile) // a last process may still write to it
	})
	if err := chromedp.Run(browser); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return browser
}

// A tab is a page that was opened from a file, and all that it did that can be seen
// from outside.
type tab struct {
	ctx context.Context
	url string

	mu       sync.Mutex
	requests []string // other than for the document
	errors   []string // of the console, and exceptions
	dialogs  []string
}

// openTab opens a file in a window of a size, in a theme.
func openTab(t *testing.T, browser context.Context, file string, width int64, scheme string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	p := &tab{ctx: ctx, url: "file://" + file}
	chromedp.ListenTarget(ctx, p.hear)
	p.open(t)
	p.do(t, network.Enable(), log.Enable(), runtime.Enable(), chromedp.EmulateViewport(width, 900), emulate(scheme),
		chromedp.Navigate(p.url), chromedp.WaitReady("html[data-script]", chromedp.ByQuery))
	p.settle(t)
	return p
}

// open makes the tab itself, which lives as long as the context that it is made with,
// and brings it to the front: what is behind draws nothing.
func (p *tab) open(t *testing.T) {
	t.Helper()
	if err := chromedp.Run(p.ctx); err != nil {
		t.Fatal(err)
	}
	p.do(t, page.BringToFront())
}

// hear keeps what a page does. It must not wait for the browser.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != p.url {
			p.requests = append(p.requests, e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeAssert {
			p.errors = append(p.errors, fmt.Sprintf("console: %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			p.errors = append(p.errors, e.Entry.Text)
		}
	case *page.EventJavascriptDialogOpening:
		p.dialogs = append(p.dialogs, e.Message)
	}
}

// quiet fails when the page asked for anything, complained or opened a dialog.
func (p *tab) quiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.requests)+len(p.errors)+len(p.dialogs) > 0 {
		t.Errorf("the page asked for %q, complained %q and opened dialogs %q; want nothing", p.requests, p.errors, p.dialogs)
	}
}

func (p *tab) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval reads what an expression gives, or what its promise does.
func eval[T any](t *testing.T, p *tab, expression string) (value T) {
	t.Helper()
	wait := func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }
	p.do(t, chromedp.Evaluate(expression, &value, wait))
	return value
}

// settle waits until what was to be drawn is drawn.
func (p *tab) settle(t *testing.T) {
	t.Helper()
	eval[bool](t, p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 50))))`)
}

func (p *tab) shot(t *testing.T, folder, name string) {
	t.Helper()
	var png []byte
	p.do(t, chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

const (
	axeVersion = "4.14.1"
	axeSum     = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==" // sha512 of its package
)

// axe is the source of axe-core, which finds what keeps people from using a page.
func axe(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "..", ".cache", "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		fetchAxe(t, filepath.Dir(file))
	}
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha512.Sum512(packed); base64.StdEncoding.EncodeToString(sum[:]) != axeSum {
		t.Fatalf("%s is not the axe-core that this test was written for; remove it and try again", file)
	}
	source, err := unpack(packed, "package/axe.min.js")
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return source
}

func fetchAxe(t *testing.T, folder string) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatalf("axe-core is not in .cache and there is no npm to fetch it with; install it (Debian: npm): %v", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("npm", "pack", "--silent", "--pack-destination", folder, "axe-core@"+axeVersion).CombinedOutput(); err != nil {
		t.Fatalf("npm pack axe-core@%s: %v\n%s", axeVersion, err, out)
	}
}

// unpack is one file of a packed folder.
func unpack(packed []byte, name string) (string, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(plain); ; {
		head, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if head.Name == name {
			text, err := io.ReadAll(files)
			return string(text), err
		}
	}
}

// A violation is what axe finds.
type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Failure string `json:"failureSummary"`
	} `json:"nodes"`
}

// violations runs axe over the page as it is now. Its source goes in through the
// debugger, which the page's policy does not bind.
func violations(t *testing.T, p *tab, source string) (serious, lesser []violation) {
	t.Helper()
	p.do(t, chromedp.Evaluate(source+";0", nil))
	all := eval[[]violation](t, p, `axe.run(document, {resultTypes: ["violations"]}).then((found) =>
		found.violations.map(({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(({html, failureSummary}) => ({html, failureSummary}))})))`)
	for _, v := range all {
		if slices.Contains([]string{"serious", "critical"}, v.Impact) {
			serious = append(serious, v)
		} else {
			lesser = append(lesser, v)
		}
	}
	return serious, lesser
}

func (v violation) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s (%s): %s, %d times", v.ID, v.Impact, v.Help, len(v.Nodes))
	for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
		fmt.Fprintf(&s, "\n  %.300s\n  %.400s", n.HTML, n.Failure)
	}
	return s.String()
}
