package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/command/commandtest"
)

// TestMain lets the tests run these functions as commands.
func TestMain(m *testing.M) {
	commands := map[string]func(context.Context) error{
		"ok":        func(context.Context) error { return nil },
		"fail":      fail,
		"usage":     func(context.Context) error { return fmt.Errorf("count: %w", Usagef("-n %d is negative", -1)) },
		"cancelled": func(context.Context) error { return status.Error(codes.Canceled, "by the server") },
		"echo":      echo,
		"wait":      wait,
		"stubborn":  stubborn,
	}
	mains := map[string]func() int{}
	for name, run := range commands {
		mains[name] = func() int { return Main("client", run) }
	}
	os.Exit(commandtest.Run(m, mains))
}

func fail(context.Context) error {
	return fmt.Errorf("logs: %w", status.Error(codes.OutOfRange, "the oldest is 7\n\x1b[2J"))
}

// echo prints its flag and its arguments.
func echo(context.Context) error {
	fmt.Println(*n, flag.Args())
	return nil
}

// wait waits until it is interrupted, and cleans up.
func wait(ctx context.Context) error {
	defer fmt.Println("cleaned up")
	fmt.Println("waiting")
	<-ctx.Done()
	return errors.Join(fmt.Errorf("logs: %w", status.FromContextError(ctx.Err()).Err()), nil)
}

// stubborn ignores that it is interrupted.
func stubborn(ctx context.Context) error {
	fmt.Println("waiting")
	<-ctx.Done()
	fmt.Println("told")
	select {}
}

var n = flag.Int("n", 10, "how `many`")
