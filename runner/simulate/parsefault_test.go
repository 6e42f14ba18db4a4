package simulate

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseFault(t *testing.T) {
	re := regexp.MustCompile
	for text, want := range map[string]Fault{
		"reset":                                {Kind: "reset"},
		"reset after=3 match='row 17' times=1": {Kind: "reset", After: 3, Match: re("row 17"), Times: 1},
		"  stall  for=2s  share=30%":           {Kind: "stall", For: 2 * time.Second, Share: 0.3},
		"cut after=0 share=0.05":               {Kind: "cut", After: -1, Share: 0.05},
		`error match="a\tb" model='it''s "x"'`: {Kind: "error", Match: re("a\tb"), Model: re(`it's "x"`)},
		"html on=tags times=2":                 {Kind: "html", On: "tags", Times: 2},
		"error match=^a=b$":                    {Kind: "error", Match: re("^a=b$")},
		"rate-limit for=500ms model=gemma":     {Kind: "rate-limit", For: 500 * time.Millisecond, Model: re("gemma")},
		"busy match='' times=0":                {Kind: "busy", Match: re("")},
	} {
		got, err := ParseFault(text)
		if err != nil || got.String() != want.String() {
			t.Errorf("ParseFault(%q) = %v, %v; want %v", text, got, err, want)
		}
		again, err := ParseFault(got.String())
		if err != nil || again.String() != got.String() {
			t.Errorf("%q is written as %q, which is read as %v, %v", text, got.String(), again, err)
		}
	}
}

func TestMistakesInAFault(t *testing.T) {
	for text, want := range map[string]string{
		"":                      `a fault begins with its kind, such as reset`,
		"times=1":               `a fault begins with its kind, such as reset, not with times=`,
		"rest":                  `unknown kind of fault "rest"; did you mean "reset"?`,
		"nonsense":              `unknown kind of fault "nonsense"`,
		"reset tmes=1":          `unknown key "tmes" of a fault; did you mean "times"?; there are after, for, match, model, on, share, times`,
		"reset 3":               `"3" has no name before it; write it like times=1`,
		"reset =3":              `= without a name before it`,
		"reset times=1 times=2": `times is given twice`,
		"reset times=-1":        `times="-1" must be a whole number from 0 to 1000000000`,
		"reset times=x":         `times="x" must be a whole number from 0 to 1000000000`,
		"reset share=0":         `share="0" must be more than 0 and at most 1, or 100%`,
		"reset share=130%":      `share="130%" must be more than 0 and at most 1, or 100%`,
		"reset share=NaN":       `share="NaN" must be more than 0 and at most 1, or 100%`,
		"stall for=2":           `for="2" is no duration; write it like 500ms or 2s`,
		"stall for=-2s":         `for=-2s must not be negative`,
		"reset match='a":        `the quote in 'a is not closed`,
		`reset match="a`:        `the quote in "a is not closed, or its text is not as Go writes it`,
		"reset match='('":       "match=\"(\" is no regular expression: missing closing ): `(`",
		"html on=tag":           `on="tag" is no kind of request; did you mean "tags"?; there are any, ask, load, ps, pull, root, show, tags, version`,
		"reset on=tags":         `reset spoils an answer, so it can't be on=tags; leave out on`,
	} {
		if f, err := ParseFault(text); err == nil || err.Error() != want {
			t.Errorf("ParseFault(%q) = %v, %v\nwant %s", text, f, err, want)
		}
	}
}

func TestAnUnknownKindInAProgramPanics(t *testing.T) {
	defer func() {
		if why := recover(); why == nil || !strings.Contains(why.(string), `did you mean "reset"?`) {
			t.Errorf("New panics with %v", why)
		}
	}()
	New(Config{Faults: []Fault{{Kind: "rest"}}})
}

func FuzzParseFault(f *testing.F) {
	for _, k := range Kinds() {
		f.Add(k.Name + " after=3 match='row 17' times=1 share=30% for=2s on=ask")
	}
	f.Add(`error match="\x00" model='it''s'`)
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			return
		}
		again, err := ParseFault(fault.String())
		if err != nil || again.String() != fault.String() {
			t.Errorf("%q is written as %q, which is read as %q, %v", text, fault.String(), again.String(), err)
		}
	})
}
