package ollama

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	tests := map[string]string{ // what is written, and the URL to call
		"":                            "http://127.0.0.1:11434",
		"  ":                          "http://127.0.0.1:11434",
		`""`:                          "http://127.0.0.1:11434",
		"gpu1":                        "http://gpu1:11434",
		"GPU1.Example.com":            "http://gpu1.example.com:11434",
		"gpu1:8080":                   "http://gpu1:8080",
		"gpu_1:8080":                  "http://gpu_1:8080",
		":8080":                       "http://127.0.0.1:8080",
		"localhost":                   "http://localhost:11434",
		"10.0.0.7":                    "http://10.0.0.7:11434",
		"10.0.0.7:80":                 "http://10.0.0.7:80",
		"0.0.0.0":                     "http://127.0.0.1:11434",
		"0.0.0.0:8080":                "http://127.0.0.1:8080",
		"http://0.0.0.0:8080":         "http://127.0.0.1:8080",
		"[::]":                        "http://[::1]:11434",
		"::":                          "http://[::1]:11434",
		"[::]:8080":                   "http://[::1]:8080",
		"::1":                         "http://[::1]:11434",
		"[::1]":                       "http://[::1]:11434",
		"[::1]:8080":                  "http://[::1]:8080",
		"[0001:0::2]:8080":            "http://[1::2]:8080",
		"fe80::1%eth0":                "http://[fe80::1%25eth0]:11434",
		"http://gpu1":                 "http://gpu1:80",
		"https://gpu1":                "https://gpu1:443",
		"HTTPS://gpu1:8443":           "https://gpu1:8443",
		"http://gpu1:11434/":          "http://gpu1:11434",
		"http://gpu1:11434//":         "http://gpu1:11434",
		"https://example.com/ollama":  "https://example.com:443/ollama",
		"https://example.com/a/b/":    "https://example.com:443/a/b",
		"gpu1/ollama":                 "http://gpu1:11434/ollama",
		`"gpu1:8080"`:                 "http://gpu1:8080",
		`' gpu1:8080 '`:               "http://gpu1:8080",
		" http://gpu1:8080\n":         "http://gpu1:8080",
		"https://me:secret@gpu1":      "https://me:secret@gpu1:443",
		"https://me:p%40ss%3A@gpu1/x": "https://me:p%40ss%3A@gpu1:443/x",
		"me@gpu1:8080":                "http://me@gpu1:8080",
		"ollama.com":                  "https://ollama.com:443",
		"http://ollama.com":           "http://ollama.com:80",
	}
	for text, want := range tests {
		got, err := ParseHost(text)
		if err != nil || got.String() != want {
			t.Errorf("ParseHost(%q) = %v, %v, want %s", text, got, err, want)
			continue
		}
		if again, err := url.Parse(got.String()); err != nil || again.Host != got.Host {
			t.Errorf("ParseHost(%q) gives %s, which reads as %v, %v", text, got, again, err)
		}
	}
}

func TestParseHostErrors(t *testing.T) {
	tests := map[string]string{
		"ftp://gpu1":                  `host "ftp://gpu1": the scheme must be http or https`,
		"://gpu1":                     `host "://gpu1": the scheme must be http or https`,
		"unix:///run/ollama.sock":     `host "unix:///run/ollama.sock": the scheme must be http or https`,
		"gpu1:port":                   `host "gpu1:port": the port must be a number from 1 to 65535, not "port"`,
		"gpu1:":                       `host "gpu1:": the port must be a number from 1 to 65535, not ""`,
		"gpu1:0":                      `host "gpu1:0": the port must be a number from 1 to 65535, not "0"`,
		"gpu1:66000":                  `host "gpu1:66000": the port must be a number from 1 to 65535, not "66000"`,
		"gpu1:-1":                     `host "gpu1:-1": the port must be a number from 1 to 65535, not "-1"`,
		"a:b:c":                       `host "a:b:c": write it as host:port, an IPv6 address as [::1]:port`,
		"[::1":                        `host "[::1": write it as host:port, an IPv6 address as [::1]:port`,
		"gpu 1":                       `host "gpu 1": a host's name has letters, digits, dots and hyphens only`,
		"gpu1,gpu2":                   `host "gpu1,gpu2": a host's name has letters, digits, dots and hyphens only`,
		"http://gpu1?x=1":             `host "http://gpu1?x=1": a host's name has letters, digits, dots and hyphens only`,
		"http://gpu1/x?y":             `host "http://gpu1/x?y": the path must be a plain one, without ? or #`,
		"http://gpu1/#top":            `host "http://gpu1/#top": the path must be a plain one, without ? or #`,
		"http://:secret@gpu1":         `host "http://...@gpu1": the user before the @ must be written as user:password, special characters as %40 and the like`,
		"http://me:se%zzcret@gpu1":    `host "http://...@gpu1": the user before the @ must be written as user:password, special characters as %40 and the like`,
		"https://me:s@cret@gpu1:x":    `host "https://...@gpu1:x": the port must be a number from 1 to 65535, not "x"`,
		"ftp://me:secret@gpu1":        `host "ftp://...@gpu1": the scheme must be http or https`,
		"http://" + longName + ".com": `host "http://` + longName + `.com": a host's name has letters, digits, dots and hyphens only`,
	}
	for text, want := range tests {
		if got, err := ParseHost(text); err == nil || err.Error() != want {
			t.Errorf("ParseHost(%q) = %v, %v, want the error %s", text, got, err, want)
		}
	}
}

var longName = strings.Repeat("x", 254)

func TestShown(t *testing.T) {
	tests := map[string]string{
		"":                               "http://localhost:11434",
		"127.0.0.1:8080":                 "http://localhost:8080",
		"[::1]":                          "http://localhost:11434",
		"https://me:secret@gpu1/ollama/": "https://gpu1:443/ollama",
		"[fd00::7]:80":                   "http://[fd00::7]:80",
	}
	for text, want := range tests {
		host, err := ParseHost(text)
		if err != nil || Shown(host) != want {
			t.Errorf("Shown of %q = %v, %v, want %s", text, Shown(host), err, want)
		}
	}
}

// Whatever is written: no panic, a URL that reads back, and never the password.
func FuzzParseHost(f *testing.F) {
	for _, seed := range []string{"", "gpu1:8080", "https://me:hunter2@gpu1/x", "[::1]:80", "fe80::1%eth0", "0.0.0.0", `"'x'"`, "http://a/b?c#d", "@", "://@:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, err := ParseHost(text)
		if err != nil {
			return
		}
		again, err := url.Parse(host.String())
		if err != nil || again.Host != host.Host || again.Path != host.Path {
			t.Fatalf("ParseHost(%q) = %s, which reads as %v, %v", text, host, again, err)
		}
		if _, err := New(Config{Host: host, AllowCloud: true}); err != nil {
			t.Fatalf("ParseHost(%q) = %s, which New refuses: %v", text, host, err)
		}
		if strings.Contains(Shown(host), "@") {
			t.Fatalf("Shown(%q) = %s", text, Shown(host))
		}
	})
}
