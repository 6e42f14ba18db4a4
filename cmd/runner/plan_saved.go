package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// savedFlags are those flags that make another plan of the same job.
type savedFlags struct {
	Root        string   `json:"root,omitempty"`
	Store       string   `json:"store,omitempty"`
	Models      []string `json:"models,omitempty"`
	Vars        []string `json:"vars,omitempty"`
	Env         []string `json:"env,omitempty"`
	Only        []string `json:"only,omitempty"`
	Limit       int64    `json:"limit,omitempty"`
	Simulate    bool     `json:"simulate,omitempty"`
	Redo        bool     `json:"redo,omitempty"`
	RetryFailed bool     `json:"retry_failed,omitempty"`
}

// plannedFlags are the names of apply's flags that say what is asked: a saved plan has its
// own, and needs the store against which it was made.
var plannedFlags = []string{"root", "store", "no-store", "model", "var", "env", "only", "limit", "simulate", "redo", "retry-failed"}

func (f *planFlags) saved() savedFlags {
	return savedFlags{
		Root: f.root, Store: f.store, Models: f.models, Vars: f.vars, Env: f.env, Only: f.only, Limit: f.limit,
		Simulate: f.simulate, Redo: f.redo, RetryFailed: f.retryFailed,
	}
}

// readSavedPlan reads what plan -o wrote.
func readSavedPlan(name string) (*planDocument, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fail(exitMistake, "%s: %s", name, reason(err))
	}
	doc := new(planDocument)
	if err := json.Unmarshal(text, doc); err != nil || doc.File == "" {
		return nil, fail(exitMistake, "%s is no saved plan; write one with: runner plan FILE -o %s", name, filepath.Base(name))
	}
	if doc.Version != planVersion {
		return nil, fail(exitMistake, "%s has version %d; this runner reads version %d", name, doc.Version, planVersion)
	}
	return doc, nil
}

// isSavedPlan tells a saved plan from a job file by its name.
func isSavedPlan(name string) bool { return filepath.Ext(name) == ".json" }

// use lets apply run what the plan was made for.
func (d *planDocument) use(flags *applyFlags) {
	f := &d.Flags
	flags.root, flags.store, flags.models, flags.vars, flags.env = f.Root, f.Store, f.Models, f.Vars, f.Env
	flags.only, flags.limit, flags.simulate = f.Only, f.Limit, f.Simulate
	flags.redo, flags.retryFailed = f.Redo, f.RetryFailed
}

// changed says what is not as it was when the plan was made, empty where all is.
func (d *planDocument) changed(now map[string]string, digests map[string]string) string {
	names := map[string]bool{}
	for name := range d.Fingerprints {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := d.Fingerprints[name]
		is, has := now[name]
		switch {
		case !had:
			return name + " was not there"
		case !has:
			return name + " is no file any more"
		case is == "gone":
			return name + " is gone"
		case was != is:
			return name + " has changed"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Models)) {
		if is, known := digests[name]; known && is != d.Models[name] {
			return fmt.Sprintf("model %s has moved from digest %s to %s", name, short(d.Models[name]), short(is))
		}
	}
	return ""
}
