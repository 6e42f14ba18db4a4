package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
)

// htmlFiles are the parts of the page. uPlot (1.6.32, MIT) draws the charts.
//
//go:embed html
var htmlFiles embed.FS

// htmlStyles and htmlScripts are put together in this order.
var (
	htmlStyles  = []string{"vendor/uPlot.min.css", "page.css", "parts.css", "answers.css"}
	htmlScripts = []string{
		"dom.js", "units.js", "theme.js", "groups.js", "series.js", "charts.js", "bars.js", "spread.js",
		"lanes.js", "timeline.js", "match.js", "answers.js", "main.js",
	}
)

// WriteHTML writes the report as one page that needs no network and no other file, and
// forbids itself both: its content security policy names its own script and style by
// their hashes and allows nothing else.
//
// What people and models wrote is text in it, never markup. The tables are in the page
// itself; charts and answers are made in the browser from the report's JSON, which is
// part of the page, with <, > and & escaped so that nothing in it can end its element.
// The same report gives the same bytes.
func WriteHTML(w io.Writer, r *Report) error {
	page, err := newHTMLPage(r)
	if err != nil {
		return err
	}
	shell, err := template.New("page").Funcs(htmlFuncs()).ParseFS(htmlFiles, "html/*.tmpl")
	if err != nil {
		return err
	}
	if err := shell.ExecuteTemplate(w, "page.tmpl", page); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return writeHTMLData(w, r, page.Script)
}

// writeHTMLData ends the page with the report's data and the script that reads it. They
// pass html/template by, which would hold all of the data in memory once more.
func writeHTMLData(w io.Writer, r *Report, script string) error {
	if _, err := io.WriteString(w, `<script type="application/json" id="data">`); err != nil {
		return err
	}
	data := json.NewEncoder(w)
	data.SetEscapeHTML(true)
	if err := data.Encode(r); err != nil {
		return fmt.Errorf("writing the page's data: %w", err)
	}
	_, err := io.WriteString(w, "</script>\n<script>"+script+"</script>\n</body>\n</html>\n")
	return err
}

// An htmlPage is what the page's templates read.
type htmlPage struct {
	*Report
	Policy string
	Style  template.CSS // trusted: our own files
	Script string
	View   htmlView
}

func newHTMLPage(r *Report) (*htmlPage, error) {
	style, err := htmlJoin(htmlStyles)
	if err != nil {
		return nil, err
	}
	script, err := htmlScript()
	if err != nil {
		return nil, err
	}
	return &htmlPage{Report: r, Policy: htmlPolicy(style, script), Style: template.CSS(style), Script: script, View: newHTMLView(r)}, nil
}

// htmlScript is uPlot with its licence, and ours in a scope of its own.
func htmlScript() (string, error) {
	licence, err := htmlJoin([]string{"vendor/uPlot.LICENSE"})
	if err != nil {
		return "", err
	}
	uplot, err := htmlJoin([]string{"vendor/uPlot.iife.min.js"})
	if err != nil {
		return "", err
	}
	ours, err := htmlJoin(htmlScripts)
	if err != nil {
		return "", err
	}
	return "/* uPlot 1.6.32\n" + licence + "*/\n" + uplot + "(() => {\n\"use strict\";\n" + ours + "})();\n", nil
}

func htmlJoin(names []string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(htmlFiles, "html/"+name)
		if err != nil {
			return "", err
		}
		all.Write(text)
		all.WriteString("\n")
	}
	return all.String(), nil
}

// htmlPolicy allows the style and the script by their hashes and nothing from outside,
// so that even a fault in the page could not run what a model wrote, or send it away.
func htmlPolicy(style, script string) string {
	return fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'",
		htmlHash(script), htmlHash(style))
}

// htmlHash is a source expression of the policy: of the exact text of an element.
func htmlHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
