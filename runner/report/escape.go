package report

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/batchrunner/runner/specs/say"
)

// Text that came from elsewhere (a model, a server, a job file, a data file) is put into
// no form as it is. Each form has its own escaper here, and each begins with say.Clean.

// commands are how the logs of GitHub Actions and Azure Pipelines begin a command in the
// middle of a line. A space makes them text.
var commands = strings.NewReplacer("##[", "# #[", "##vso[", "# #vso[")

// oneLine makes text one clean line that no CI service takes for a command, wherever it
// stands in a log.
func oneLine(s string) string {
	s = say.Line(s)
	if strings.HasPrefix(s, "::") {
		s = ": " + s[1:]
	}
	return commands.Replace(s)
}

// shorten keeps the first n characters and says that there were more.
func shorten(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n--; n < 0 {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "..."
		}
	}
	return s
}

// brief is one clean line of at most n characters and the dots. Long text is cut first,
// since an answer may have megabytes.
func brief(s string, n int) string {
	const most = 16 // bytes of a character that may vanish, or become a space
	if len(s) > most*n+most {
		s = s[:most*n+most] + "..."
	}
	return shorten(oneLine(s), n)
}

// markup are the characters that mean something in Markdown or HTML, and in what GitHub
// adds to them: references, mathematics, mentions. GitHub looks for mentions after it has
// read the entities, so a comment parts the @ from its name. Addresses would become links
// without any sign around them.
var markup = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "@", "&#64;<!-- -->", "#", "&#35;",
	"`", "&#96;", "*", "&#42;", "_", "&#95;", "~", "&#126;", "[", "&#91;", "]", "&#93;",
	"\\", "&#92;", "$", "&#36;", "^", "&#94;", "://", "&#58;//", "www.", "www&#46;",
)

// block is what would begin a list or a heading at the start of a line or of a list's item.
var block = regexp.MustCompile(`^([-+=]|[0-9]+[.)]( |$))`)

// markdown makes text one line of Markdown that shows as that text, in a table's cell, a
// list's item and anywhere else.
func markdown(s string) string {
	s = oneLine(s)
	if block.MatchString(s) {
		return fmt.Sprintf("&#%d;", s[0]) + markup.Replace(s[1:])
	}
	return markup.Replace(s)
}

// codeSpan is markdown for a name, or for text of a model: GitHub looks for no mentions,
// references and emoji in code.
func codeSpan(s string) string {
	if s = markdown(s); s == "" {
		return ""
	}
	return "<code>" + s + "</code>"
}

// harmless puts a ' before text that a spreadsheet would take for a formula (CWE-1236),
// which every spreadsheet then shows as text.
func harmless(s string) string {
	for _, r := range s {
		if strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			return "'" + s
		}
		// What a program may drop before it looks: spaces, and what can't be seen.
		if !unicode.IsSpace(r) && !unicode.In(r, unicode.Cc, unicode.Cf) {
			return s
		}
	}
	return s
}

// commandData and commandProperty escape the parts of a GitHub workflow command.
var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// benchName makes text one part of a benchmark's name: no spaces, which would end the
// name, and no slash, which would begin another part (hf.co/a/b is hf.co_a_b).
func benchName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '/' || r == '=' {
			return '_'
		}
		return r
	}, oneLine(s))
}
