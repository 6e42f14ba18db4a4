package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// A namer writes text from elsewhere as a form needs it: oneLine, codeSpan.
type namer func(string) string

// plain leaves a word as it is, if it is one: letters and spaces mean nothing in any form.
func plain(word string, name namer) string {
	for _, r := range word {
		if (r < 'a' || r > 'z') && r != ' ' {
			return name(word)
		}
	}
	return word
}

// places says whether a report has to name the step and the level that a line is about.
type places struct{ steps, levels bool }

func placesOf(r *Report) (p places) {
	for i := range r.Groups {
		p.steps = p.steps || r.Groups[i].Step != r.Groups[0].Step
		p.levels = p.levels || r.Groups[i].Level != r.Groups[0].Level
	}
	return p
}

// of is "draft, 4 at a time: ", as far as that tells lines apart.
func (p places) of(step string, level Level, name namer) string {
	if parts := p.parts(step, level, name); len(parts) > 0 {
		return strings.Join(parts, ", ") + ": "
	}
	return ""
}

// named is "gemma3:4b, draft, 4 at a time", as far as that tells lines apart.
func (p places) named(g *Group, name namer) string {
	return strings.Join(append([]string{name(cmp.Or(g.Model, noModel))}, p.parts(g.Step, g.Level, name)...), ", ")
}

func (p places) parts(step string, level Level, name namer) (parts []string) {
	if p.steps {
		parts = append(parts, name(step))
	}
	if p.levels && level.words() != "" {
		parts = append(parts, level.words())
	}
	return parts
}

// sentence says what a comparison showed.
func (c Comparison) sentence(name namer) string {
	a, b, figure := name(c.A), name(c.B), figureWords(c.Figure, name)
	switch {
	case c.Too != "" && c.P == 1:
		return fmt.Sprintf("%s and %s can't be compared: %s (%s)", a, b, plain(c.Too, name), figure)
	case c.Too != "":
		return fmt.Sprintf("no difference shown between %s and %s, but %s to show one (%s, %s)", a, b, plain(c.Too, name), figure, chance(c.P))
	case !c.Shown:
		return fmt.Sprintf("no difference shown between %s and %s (%s, %s)", a, b, figure, chance(c.P))
	}
	return fmt.Sprintf("%s is %s faster than %s (%s, %s)", a, faster(c.Delta), b, figure, chance(c.P))
}

// figureWords is what a person calls a figure; a column keeps its name.
func figureWords(figure string, name namer) string {
	if words, ok := figures[figure]; ok {
		return words
	}
	return name(figure)
}

// changes says which figures moved since the baseline, and of how many that isn't shown.
func changes(r *Report, name namer) (lines []string) {
	at, quiet := placesOf(r), int64(0)
	for _, c := range r.Changes {
		if c.Shown || c.Missed {
			lines = append(lines, at.of(c.Step, c.Level, name)+c.sentence(name))
		} else {
			quiet++
		}
	}
	if quiet > 0 {
		lines = append(lines, "no change shown in "+say.Plural(quiet, "figure"))
	}
	return lines
}

// sentence says how a figure moved.
func (c Change) sentence(name namer) string {
	how := "better"
	if c.Worse {
		how = "worse"
	}
	now, base := figureTexts(c.Figure, c.Now, c.Base)
	return fmt.Sprintf("%s: %s %s, was %s (%s%% %s)", name(c.Model), figureWords(c.Figure, name), now, base, roughly(100*math.Abs(c.Delta)), how)
}

// faster says how much faster, from the other's median over the faster one's, less 1: of
// a time it is above 0, of a rate below.
func faster(delta float64) string {
	ratio := 1 + delta
	if ratio < 1 && ratio > 0 {
		ratio = 1 / ratio
	}
	if ratio >= 1.5 {
		return roughly(ratio) + " times"
	}
	return roughly(100*(ratio-1)) + "%"
}

// chance writes a p value.
func chance(p float64) string {
	if p < 0.001 {
		return "p<0.001"
	}
	return "p=" + roughly(p)
}

// sentence is what failed, why and where.
func (f Failure) sentence(name namer) string {
	text := fmt.Sprintf("%s, %s: %s", say.Plural(f.Count, "task"), name(f.Class), name(f.Message))
	if len(f.Rows) == 0 {
		return text
	}
	rows := each(f.Rows, func(n int64) string { return strconv.FormatInt(n, 10) })
	if int64(len(rows)) < f.Count {
		rows = append(rows, "...")
	}
	word := "rows"
	if len(rows) == 1 {
		word = "row"
	}
	return text + " (" + word + " " + strings.Join(rows, ", ") + ")"
}

// coldLoads says of each model how often it was loaded and how long that took: before its
// first request, and for those that found it not loaded.
func coldLoads(r *Report, name namer) (lines []string) {
	at := placesOf(r)
	var told []string // models whose load before their first request was told
	for i := range r.Groups {
		g := &r.Groups[i]
		if g.Load == nil || g.Cold == 0 && slices.Contains(told, g.Model) {
			continue
		}
		told = append(told, g.Model)
		who := at.named(g, name)
		if g.Cold == 0 {
			who = name(g.Model)
		}
		line := fmt.Sprintf("%s: %s, %s", who, say.Plural(g.Load.N, "load"), seconds(g.Load.Median))
		if g.Load.N > 1 {
			line += " (median; at most " + seconds(g.Load.Max) + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// ownError is the line in which a report says how wrong its times may be; empty where
// that was not measured.
func ownError(r *Report) string {
	var parts []string
	if lag := r.Run.Lag; lag != nil {
		parts = append(parts, fmt.Sprintf("runner waited %s for a processor (p99 %s)", seconds(lag.Median), seconds(lag.P99)))
	}
	var late *Stat
	for i := range r.Groups {
		if l := r.Groups[i].Late; l != nil && (late == nil || l.P99 > late.P99) {
			late = l
		}
	}
	if late != nil {
		parts = append(parts, fmt.Sprintf("sent requests %s late (p99 %s)", seconds(late.Median), seconds(late.P99)))
	}
	return say.And(parts)
}

// summary is the report's first line: what ran, and how it ended.
func summary(r *Report, name namer) string {
	models := distinct(r.Groups, func(g *Group) string { return g.Model })
	text := name(r.Run.Job)
	if r.Run.ID != 0 {
		text += fmt.Sprintf(", run %d", r.Run.ID)
	}
	text += fmt.Sprintf(": %s, %s, %s ok", say.Plural(len(models), "model"), say.Plural(r.Rows, "row"), say.Count(r.OK))
	if r.Failed > 0 {
		text += ", " + say.Count(r.Failed) + " failed"
	}
	if r.Reused > 0 {
		text += fmt.Sprintf("; %s asked, %s taken over", say.Count(r.Asked), say.Count(r.Reused))
	}
	return text
}

// circumstances are the lines that say what the figures depend on.
func circumstances(r *Report, name namer) []string {
	run := &r.Run
	lines := []string{ending(run, name)}
	if run.Hardware != "" {
		lines = append(lines, "on "+name(run.Hardware))
	}
	server := "server " + name(run.Server)
	if run.ServerVersion != "" && !run.Simulated {
		server += ", version " + name(run.ServerVersion)
	}
	if run.Simulated {
		server += ", simulated: the figures are of no real model"
	}
	lines = append(lines, server+"; runner "+name(run.Runner))
	if r.Bench != nil {
		lines = append(lines, benchLine(r.Bench, name))
	}
	return lines
}

func benchLine(b *Bench, name namer) string {
	text := say.Plural(b.Runs, "run") + " of each row"
	if b.Warmup > 0 {
		text += " after " + say.Plural(b.Warmup, "warm-up")
	}
	if b.Order != "" {
		text += ", " + plain(b.Order, name)
	}
	limits := make([]string, 0, len(b.Goodput))
	for figure, limit := range b.Goodput {
		limits = append(limits, name(figure)+" "+seconds(limit))
	}
	if slices.Sort(limits); len(limits) > 0 {
		text += "; good is " + strings.Join(limits, ", ")
	}
	return text
}

// ending says when a run was and how it ended.
func ending(run *Run, name namer) string {
	text := run.Began.UTC().Format("2006-01-02 15:04:05 UTC")
	if run.Ended.IsZero() {
		return text + ", not ended"
	}
	text += ", " + plain(run.State, name) + " in " + seconds(run.Ended.Sub(run.Began).Seconds())
	if run.Partial {
		text += ", over a part of the rows"
	}
	return text
}
