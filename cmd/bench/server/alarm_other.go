//go:build !linux

package main

import (
	"context"
	"time"
)

// An alarm is a timer of Go.
type alarm struct{}

func newAlarm(context.Context) (*alarm, error) { return &alarm{}, nil }

func (*alarm) sleep(ctx context.Context, moment time.Time) error { return sleep(ctx, moment) }

func (*alarm) close() {}
