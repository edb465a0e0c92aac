// Package command is what every main of this repository shares: it ends on
// a signal, and a failure is one line and an exit status.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Exit statuses.
const (
	Failed      = 1   // run returned an error
	BadUsage    = 2   // a flag or an argument makes no sense
	Interrupted = 130 // a signal cancelled run; shells say so of SIGINT
)

// Main parses the command line and calls run with a context that SIGINT
// and SIGTERM cancel. A second signal ends the process at once. Main
// returns the exit status.
func Main(name string, run func(context.Context) error) int {
	switch err := parse(); {
	case errors.Is(err, flag.ErrHelp):
		flag.Usage()
		return 0
	case err != nil:
		return report(name, Usagef("%v", err))
	}
	ctx, stop := untilSignal()
	defer stop()
	err := run(ctx)
	if ctx.Err() != nil && IsCanceled(err) {
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", name)
		return Interrupted
	}
	return report(name, err)
}

// report prints err as one line and returns its exit status.
func report(name string, err error) int {
	switch _, usage := errors.AsType[*UsageError](err); {
	case err == nil:
		return 0
	case usage:
		fmt.Fprintf(os.Stderr, "%s: %s (see -help)\n", name, Describe(err))
		return BadUsage
	default:
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, Describe(err))
		return Failed
	}
}

// parse is [flag.Parse], but allows flags after arguments too, and leaves
// it to the caller to print: package flag would print the whole usage.
func parse() error {
	flags := flag.CommandLine
	flags.Init(flags.Name(), flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	defer flags.SetOutput(os.Stderr)
	err := flags.Parse(os.Args[1:])
	var args []string
	for err == nil && flags.NArg() > 0 {
		args = append(args, flags.Arg(0))
		err = flags.Parse(flags.Args()[1:])
	}
	if err != nil {
		return err
	}
	return flags.Parse(append([]string{"--"}, args...))
}

// untilSignal returns a context that the first SIGINT or SIGTERM cancels.
func untilSignal() (context.Context, context.CancelFunc) {
	signaled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(signaled, func() {
		stop() // before run is told: from then on a signal ends the process
		cancel()
	})
	return ctx, stop
}

// A UsageError is a command line that makes no sense.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// Usagef returns a [UsageError].
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// IsCanceled reports whether err is a cancelled context, on this side of
// the connection or as a status.
func IsCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}
