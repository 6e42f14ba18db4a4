package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/batchrunner/runner/runner/report"
	"github.com/batchrunner/runner/schema"
	"github.com/spf13/cobra"
)

// version is set when a release is built (-ldflags "-X main.version=1.2.3").
var version = ""

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.out, "runner %s %s %s/%s\n", versionName(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return printed(err)
		},
	}
}

// versionName is the release's version, else the module's, else "devel".
func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

func (a *app) schemaCommand() *cobra.Command {
	var ofReports bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of job files, for editors",
		Long: `Prints the JSON Schema (draft-07) of job files. Editors with a YAML language
server complete and check job files that begin with

  # yaml-language-server: $schema=.runner/job.schema.json

"runner init" writes that file; or: runner schema > .runner/job.schema.json

With --report it is the schema of JSON reports, for programs that read them.`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			text := schema.Job()
			if ofReports {
				text = report.Schema()
			}
			_, err := a.out.Write(text)
			return printed(err)
		},
	}
	cmd.Flags().BoolVar(&ofReports, "report", false, "print the schema of JSON reports")
	return cmd
}

// printed makes the exit of a text that could not be printed.
func printed(err error) error {
	if err == nil {
		return nil
	}
	return fail(exitDisk, "this can't be printed: %s", reason(err))
}
