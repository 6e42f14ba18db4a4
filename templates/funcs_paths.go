package templates

import (
	"net/url"
	"strings"
	"time"
)

func pathFunctions(sprigs map[string]any) []entry {
	path := func(name string) impl { return onText(1, from[func(string) string](sprigs, name)) }
	return []entry{
		{"PATH -> text", "base", "the last part of a path", `base "docs/a.md"`, "a.md", path("base")},
		{"PATH -> text", "dir", "the path without its last part", `dir "docs/a.md"`, "docs", path("dir")},
		{"PATH -> text", "clean", "the shortest form of a path", `clean "docs/../a.md"`, "a.md", path("clean")},
		{"PATH -> text", "ext", "the ending of a file's name", `ext "docs/a.md"`, ".md", path("ext")},
		{"PATH -> bool", "isAbs", "whether the path begins with a slash", `isAbs "/docs"`, "true", isAbs},
		{"URL -> object", "urlParse", "the parts of a URL: scheme, userinfo, host, hostname, path, query, opaque, fragment", `(urlParse "http://example.com/a?b=1").query`, "b=1", urlParse(from[func(string) map[string]any](sprigs, "urlParse"))},
		{"OBJECT -> text", "urlJoin", "the URL of such parts", `urlJoin (dict "scheme" "http" "host" "example.com" "path" "/a")`, "http://example.com/a", urlJoin(from[func(map[string]any) string](sprigs, "urlJoin"))},
		{"CONSTRAINT VERSION -> bool", "semverCompare", "whether a version meets a constraint", `semverCompare ">=1.2.0" "1.3.1"`, "true", semverCompare(from[func(string, string) (bool, error)](sprigs, "semverCompare"))},
		{"SECONDS -> text", "duration", "a number of seconds as hours, minutes and seconds", `duration 95`, "1m35s", duration(from[func(any) string](sprigs, "duration"))},
		{"DURATION -> text", "durationRound", "a duration in its largest unit", `durationRound "2h10m5s"`, "2h", durationRound(from[func(any) string](sprigs, "durationRound"))},
	}
}

func isAbs(b *budget, args []any) (any, error) {
	s, err := b.textArg(args[0])
	return strings.HasPrefix(s, "/"), err
}

func urlParse(f func(string) map[string]any) impl {
	return func(b *budget, args []any) (any, error) {
		const copies = 8 // one of each part at most, and the fields
		s, err := b.textArg(args[0])
		if err != nil {
			return nil, err
		}
		if err := b.takeEach(int64(len(s)+fieldSize), copies); err != nil {
			return nil, err
		}
		if _, err := url.Parse(s); err != nil {
			return nil, failed("needs a URL, but gets %s", described(args[0]))
		}
		return f(s), nil
	}
}

func urlJoin(f func(map[string]any) string) impl {
	return func(b *budget, args []any) (any, error) {
		const copies = 8 // escaped three for one, and joined
		object, err := objectArg(args[0])
		if err != nil {
			return nil, err
		}
		parts := map[string]any{}
		for _, name := range sortedKeys(object) {
			s, err := b.textArg(object[name])
			if err != nil {
				return nil, err
			}
			if err := b.takeEach(int64(len(s)+fieldSize), copies); err != nil {
				return nil, err
			}
			parts[name] = s
		}
		if user, _ := parts["userinfo"].(string); user != "" {
			if _, err := url.Parse("x://" + user + "@host"); err != nil {
				return nil, failed("can't make a URL with the userinfo %s", described(user))
			}
		}
		return f(parts), nil
	}
}

func semverCompare(f func(constraint, version string) (bool, error)) impl {
	return func(b *budget, args []any) (any, error) {
		const longest = 256 // no version is longer, and parsing is by regular expressions
		texts, err := b.textArgs(args)
		if err != nil {
			return nil, err
		}
		constraint, version := texts[0], texts[1]
		if len(constraint) > longest || len(version) > longest {
			return nil, failed("takes at most %d characters", longest)
		}
		ok, err := f(constraint, version)
		if err != nil {
			return nil, failed("can't compare the version %s with %s", described(version), described(constraint))
		}
		return ok, nil
	}
}

func duration(f func(any) string) impl {
	return func(_ *budget, args []any) (any, error) {
		const most = int64(1<<63-1) / int64(time.Second)
		seconds, err := wholeArg(args[0])
		if err != nil {
			return nil, err
		}
		if seconds > most || seconds < -most {
			return nil, failed("takes at most %d seconds", most)
		}
		return f(seconds), nil
	}
}

func durationRound(f func(any) string) impl {
	return func(b *budget, args []any) (any, error) {
		s, err := b.textArg(args[0])
		if err != nil {
			return nil, err
		}
		if _, err := time.ParseDuration(strings.TrimSpace(s)); err != nil {
			return nil, failed("needs a duration such as 2h10m, but gets %s", described(args[0]))
		}
		return f(strings.TrimSpace(s)), nil
	}
}
