// Package cli holds what the commands of chapters 02 to 07 share: flags, a
// connection or a listener, an end at a signal, and an exit status.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/printable"
)

// Exit statuses of [Main].
const (
	Failed      = 1   // run returned an error
	BadUsage    = 2   // a flag or an argument is not valid
	Interrupted = 130 // a signal canceled run; shells report SIGINT so
)

// Main parses the command line and calls run with a context that SIGINT,
// SIGTERM and SIGHUP cancel. A second signal ends the process at once. SIGHUP
// comes when a terminal is closed; a process that nohup has started ignores
// it. Main prints an error as one line on stderr and returns the exit status.
// The first word of usage is the name of the command, such as in
// "client [flags] FILE".
func Main(usage string, run func(context.Context) error) int {
	name, _, _ := strings.Cut(usage, " ")
	switch err := parse(); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(os.Stderr, "Usage: %s\n", usage)
		flag.PrintDefaults()
		return 0
	case err != nil:
		return report(name, Usagef("%v", err))
	}
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	signaled, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	context.AfterFunc(signaled, func() {
		stop() // before run can know: from now on a signal ends the process
		cancel()
	})
	err := run(ctx)
	if ctx.Err() != nil && isCanceled(err) {
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", name)
		return Interrupted
	}
	return report(name, err)
}

// parse is [flag.Parse], except that it returns an error, also for a flag
// behind an argument. Package flag would print the whole usage.
func parse() error {
	flag.CommandLine.Init(flag.CommandLine.Name(), flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard)
	defer flag.CommandLine.SetOutput(os.Stderr)
	if err := flag.CommandLine.Parse(os.Args[1:]); err != nil {
		return err
	}
	for _, arg := range flag.Args() {
		if len(arg) > 1 && arg[0] == '-' {
			return fmt.Errorf("%s: must come before the arguments", arg)
		}
	}
	return nil
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

// A UsageError says which flag or argument is not valid.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// Usagef returns a [*UsageError].
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// NoArgs returns a [*UsageError] if the command line has arguments.
func NoArgs() error {
	if flag.NArg() > 0 {
		return Usagef("unexpected argument %q", flag.Arg(0))
	}
	return nil
}

// isCanceled reports whether err is a canceled context, on this side of the
// connection or as a status.
func isCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}

// statusPrefix is how grpc-go prints the code of a status.
var statusPrefix = regexp.MustCompile(`rpc error: code = (\S+) desc = `)

// Describe returns the text of err on one line that is safe to print. It
// writes a gRPC status inside err as "Code: message", and escapes what a
// terminal would not print, because the message may come from a server that
// you do not trust.
func Describe(err error) string {
	text := statusPrefix.ReplaceAllString(err.Error(), "$1: ")
	text = strings.ReplaceAll(text, "\n", "; ") // as errors.Join separates
	return printable.Escape(text)
}
