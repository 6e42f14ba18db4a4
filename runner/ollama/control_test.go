package ollama

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/batchrunner/runner/runner"
)

func TestVersionListShowRunning(t *testing.T) {
	s := newServer(t)
	c := clientOf(t, s.url, nil)
	if v, err := c.Version(t.Context()); v != "0.17.7" || err != nil {
		t.Errorf("Version = %q, %v", v, err)
	}
	list, err := c.List(t.Context())
	want := []ModelInfo{
		{Name: "all-minilm:latest", Digest: "c1"}, {Name: "gemma3:12b", Digest: "a1", Size: 8 << 30},
		{Name: "gpt-oss:120b-cloud", Digest: "d1", Remote: "https://ollama.com:443"}, {Name: "mine:latest", Digest: "e1", Remote: "https://ollama.com:443"},
		{Name: "qwen3:8b", Digest: "b1", Size: 5 << 30},
	}
	if diff := cmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("List: %v (-want +got):\n%s", err, diff)
	}
	running, err := c.Running(t.Context())
	if diff := cmp.Diff([]ModelInfo{{Name: "gemma3:12b", Loaded: true, ContextLength: 4096, SizeLoaded: 9, SizeVRAM: 7}}, running); diff != "" || err != nil {
		t.Errorf("Running: %v (-want +got):\n%s", err, diff)
	}
	info, err := c.Show(t.Context(), "qwen3:8b")
	if diff := cmp.Diff(ModelInfo{Name: "qwen3:8b", Capabilities: []string{"completion", "thinking"}, ContextLength: 40960}, info); diff != "" || err != nil {
		t.Errorf("Show: %v (-want +got):\n%s", err, diff)
	}
	if err := c.Probe(t.Context()); err != nil {
		t.Errorf("Probe: %v", err)
	}
	_, err = c.Show(t.Context(), "nothing")
	wantFailure(t, nil, err, runner.ModelMissing, `^model "nothing" is not on http://localhost:\d+; fetch it with: OLLAMA_HOST=127.0.0.1:\d+ ollama pull nothing$`)
}

// What api.Client takes for a reply, or reads without bound, the guard refuses.
func TestControlPlaneFaults(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"models":[{"name":"`)
		for {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<20))); err != nil {
				return
			}
		}
	}
	canned := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		class   runner.Class
		message string
	}{
		{"endless reply", endless, runner.TooLarge, `^the reply of http://localhost:\d+ is longer than 32 MiB$`},
		{"a page", canned(200, "text/html", "<html>login</html>"), runner.Protocol, `does not answer as Ollama does \(status 200, text/html`},
		{"an empty 502", canned(502, "text/plain", ""), runner.Server, `failed with status 502`},
		{"not JSON", canned(200, "application/json", "oops"), runner.Server, `reports: invalid character 'o'`},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"models":[`)
		}, runner.Disconnected, `broke before its reply was complete`},
		{"unauthorized", canned(401, "application/json", `{"error":"no"}`), runner.Unauthorized, `denies access: no`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := clientOf(t, serve(t, tt.handler), nil).List(t.Context())
			wantFailure(t, nil, err, tt.class, tt.message)
		})
	}
}

func TestPull(t *testing.T) {
	tests := []struct {
		name, body string
		class      runner.Class
		message    string
	}{
		{"done", `{"status":"pulling manifest"}` + "\n" + `{"status":"pulling a1","digest":"sha256:a1","total":100,"completed":40}` + "\n" + `{"status":"success"}` + "\n", "", ""},
		{"error", `{"status":"pulling manifest"}` + "\n" + `{"error":"pull model manifest: file does not exist"}` + "\n", runner.Server, `^pulling "m": http://localhost:\d+ reports: pull model manifest: file does not exist$`},
		{"ended early", `{"status":"pulling manifest"}` + "\n", runner.Incomplete, `^pulling "m" from http://localhost:\d+ ended before it was done`},
		{"nothing", ``, runner.Incomplete, `ended before it was done`},
		{"a line too long", `{"status":"` + strings.Repeat("x", 9<<20), runner.Incomplete, `ended before it was done`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen []Progress
			err := clientOf(t, reply(t, 200, ndjson, tt.body), nil).Pull(t.Context(), "m", func(p Progress) { seen = append(seen, p) })
			if tt.class != "" {
				wantFailure(t, nil, err, tt.class, tt.message)
				return
			}
			want := []Progress{{Status: "pulling manifest"}, {Status: "pulling a1", Digest: "sha256:a1", Total: 100, Completed: 40}, {Status: "success"}}
			if diff := cmp.Diff(want, seen); diff != "" || err != nil {
				t.Errorf("%v, progress (-want +got):\n%s", err, diff)
			}
		})
	}
	cut := wire(t, func(conn *net.TCPConn) { put(conn, head, part(`{"status":"pulling"}`+"\n")) })
	wantFailure(t, nil, clientOf(t, cut, nil).Pull(t.Context(), "m", nil), runner.Incomplete, `ended before it was done`)
	why := errors.New("interrupted")
	ctx, stop := context.WithCancelCause(t.Context())
	err := clientOf(t, reply(t, 200, ndjson, tests[0].body), nil).Pull(ctx, "m", func(Progress) { stop(why) })
	if !errors.Is(err, why) {
		t.Errorf("a cancelled pull: %v, want the cause", err)
	}
	err = clientOf(t, "http://127.0.0.1:1", nil).Pull(t.Context(), "x:120b-cloud", nil)
	wantFailure(t, nil, err, runner.Capability, `runs on ollama.com`)
}

// freePort is a port on loopback where nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestNobodyThere(t *testing.T) {
	address := freePort(t)
	c := clientOf(t, address, nil)
	want := `^nothing answers at http://localhost:\d+; start it with: OLLAMA_HOST=` + address + ` ollama serve$`
	_, err := c.Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Unreachable, want)
	wantFailure(t, nil, c.Probe(t.Context()), runner.Unreachable, want)
	_, err = c.Load(t.Context(), question())
	wantFailure(t, nil, err, runner.Unreachable, want)
	report, err := c.Preflight(t.Context(), []Need{{Model: "m"}})
	wantFailure(t, report, err, runner.Unreachable, want)

	standard, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := standard.startHint(); got != "start it with: ollama serve" || standard.String() != "http://localhost:11434" {
		t.Errorf("the default server: %s, %q", standard, got)
	}
}

// The words for errors that no test can make a network show at will.
func TestDiagnoses(t *testing.T) {
	c := clientOf(t, "https://me:secret@gpu1:8443", nil)
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := []struct {
		err   error
		class runner.Class
		want  string
	}{
		{dial(errors.New("connect: no route to host")), runner.Unreachable, `^nothing answers at https://gpu1:8443 \(connect: no route to host\); see that Ollama runs there and listens on all addresses`},
		{dial(os.ErrDeadlineExceeded), runner.Unreachable, `^nothing answers at https://gpu1:8443 within 10s; see that`},
		{dial(&net.DNSError{Err: "no such host", Name: "gpu1"}), runner.Unreachable, `^the host of https://gpu1:8443 is not known \(no such host\); check OLLAMA_HOST or --host$`},
		{errors.New("net/http: TLS handshake timeout"), runner.Unreachable, `^nothing answers at https://gpu1:8443; `},
		{http.ErrSchemeMismatch, runner.Protocol, `^https://gpu1:8443 does not speak TLS; write the host with http://$`},
		{errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0"`), runner.Protocol, `what listens at https://gpu1:8443 is no Ollama`},
		{&url.Error{Op: "Post", URL: "https://me:secret@gpu1:8443", Err: io.EOF}, runner.Disconnected, `^the connection to https://gpu1:8443 broke now$`},
	}
	for _, tt := range tests {
		failed := wantFailure(t, nil, c.lost(t.Context(), tt.err, "now"), tt.class, tt.want)
		if strings.Contains(fmt.Sprintf("%+v %v", failed, failed.Cause), "secret") {
			t.Errorf("%v shows the password", failed)
		}
	}
}

// Errors of the network as it makes them.
func TestOtherListeners(t *testing.T) {
	ssh := wire(t, func(conn *net.TCPConn) { put(conn, "SSH-2.0-OpenSSH_9.6\r\n") })
	_, err := clientOf(t, ssh, nil).Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Protocol, `what listens at http://localhost:\d+ is no Ollama`)

	silent := wire(t, func(*net.TCPConn) {})
	_, err = clientOf(t, silent, nil).Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Disconnected, `broke before the answer began$`)

	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err = clientOf(t, strings.Replace(plain, "http://", "https://", 1), nil).Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Protocol, `does not speak TLS; write the host with http://`)

	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	_, err = clientOf(t, secure.URL, nil).Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Unreachable, `^the certificate of https://localhost:\d+ is not trusted: `)

	headers := wire(t, func(conn *net.TCPConn) {
		put(conn, "HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 1<<20), "\r\n\r\n")
	})
	_, err = clientOf(t, headers, nil).Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Protocol, `the head of its answer does not end`)

	_, err = clientOf(t, "http://no-such-host.invalid", nil).Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Unreachable, `no-such-host\.invalid`)
}

// The proxy of the environment is for those who ask for it. (It can't be asked for
// here: net/http reads the environment once.)
func TestNoProxyUnlessAsked(t *testing.T) {
	without, with := clientOf(t, "gpu1", nil), clientOf(t, "gpu1", func(cfg *Config) { cfg.Proxy = true })
	if without.transport.Proxy != nil || with.transport.Proxy == nil {
		t.Error("a proxy is used, or not, against the configuration")
	}
}

func TestLinkLocalAddresses(t *testing.T) {
	check := func(host, address string) error {
		u, err := ParseHost(host)
		if err != nil {
			t.Fatal(err)
		}
		control := noLinkLocal(u)
		if control == nil {
			return nil
		}
		return control("tcp", address, nil)
	}
	for _, address := range []string{"169.254.169.254:80", "[fe80::1%eth0]:80", "[::ffff:169.254.1.1]:80"} {
		if check("gpu1", address) == nil {
			t.Errorf("a name may lead to %s", address)
		}
	}
	if err := check("169.254.10.1:11434", "169.254.10.1:11434"); err != nil {
		t.Errorf("an address given as such: %v", err)
	}
	if err := check("gpu1", "10.0.0.7:80"); err != nil {
		t.Errorf("a private address: %v", err)
	}
}

// A user and password go into a header of each request, and nowhere else.
func TestUserAndPassword(t *testing.T) {
	var seen []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		seen = append(seen, r.URL.Path+" "+user+" "+password)
		w.Header().Set("Content-Type", ndjson)
		_, _ = io.WriteString(w, last(nil))
	})
	c := clientOf(t, strings.Replace(url, "http://", "http://me:hunter2@", 1)+"/ollama", nil)
	if _, err := c.Do(t.Context(), question(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/ollama/api/chat me hunter2", "/ollama/api/version me hunter2"}; !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", c, c, c, c); strings.Contains(text, "hunter2") {
		t.Errorf("a printed client shows the password: %s", text)
	}
}

// Nothing is signed with the user's key, and nothing sent to Ollama's cloud,
// unless that was allowed.
func TestCloudHosts(t *testing.T) {
	for _, host := range []string{"ollama.com", "https://ollama.com/", "OLLAMA.COM", "https://api.ollama.com", "https://ollama.com.:443", "http://ollama.ai"} {
		u, err := ParseHost(host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{Host: u}); err == nil || !strings.Contains(err.Error(), "allow it with: --allow-cloud") {
			t.Errorf("New with host %s: %v", host, err)
		}
		if _, err := New(Config{Host: u, AllowCloud: true}); err != nil {
			t.Errorf("New with host %s, allowed: %v", host, err)
		}
	}
	for _, bad := range []*url.URL{{}, {Scheme: "ftp", Host: "x"}, {Scheme: "http"}} {
		if _, err := New(Config{Host: bad}); err == nil {
			t.Errorf("New with host %q succeeds", bad)
		}
	}
}

// Where OLLAMA_AUTH asks for signatures, Do signs as api.Client does.
func TestSignatures(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	var tokens []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization")+" "+r.URL.RawQuery)
		w.Header().Set("Content-Type", ndjson)
		_, _ = io.WriteString(w, last(nil))
	})
	c := clientOf(t, server, nil)
	if _, err := c.Do(t.Context(), question(), nil); err != nil || tokens[0] != " " {
		t.Errorf("by default: %q, %v, want no signature", tokens, err)
	}
	t.Setenv("OLLAMA_AUTH", "1")
	_, err := c.Do(t.Context(), question(), nil)
	wantFailure(t, nil, err, runner.Unauthorized, `no key to sign requests to http://localhost:\d+ with; make one with: ollama signin`)
	writeKey(t, filepath.Join(home, ".ollama", "id_ed25519"))
	tokens = nil
	for range 2 {
		if _, err := c.Do(t.Context(), question(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if !strings.Contains(token, ":") || !strings.Contains(token, " ts=") {
			t.Errorf("a request without a signature: %q", token)
		}
	}
	if c.chat.Header.Get("Authorization") != "" || c.chat.URL.RawQuery != "" {
		t.Error("one request's signature stays for the next")
	}
}

func writeKey(t *testing.T, path string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestClean(t *testing.T) {
	if got := clean(" two\r\n \x1b[31mlines\x1b[0m\t"); got != "two lines" {
		t.Errorf("two lines became %q", got)
	}
	if got := clean(strings.Repeat("é", 5000)); len(got) > maxMessage || !strings.HasSuffix(got, "é...") {
		t.Errorf("5000 characters give %d bytes, ending %q", len(got), got[len(got)-8:])
	}
}
