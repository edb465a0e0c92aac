package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"example.com/streams/internal/course"
)

const usage = `usage: go run . [COMMAND]

  (none)         lessons and exercises: done, failing or next
  watch [NAME]   run an exercise again whenever you save its file
  hint [NAME]    show the hint for the first thing that is wrong
  solution NAME  print the solution, after an attempt
  reset NAME     begin an exercise again
  room FOLDER... grade the exercises of several clones
  ready          download and build everything, to work without a network

NAME is the number of a chapter, such as 03. Without NAME, the next exercise.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	case errors.Is(err, context.Canceled):
		os.Exit(130)
	default:
		fmt.Fprintf(os.Stderr, "course: %v\n", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(ctx context.Context, args []string) error {
	c, err := course.Load(".")
	if err != nil {
		return err
	}
	style := course.StyleOf(os.Stdout)
	if len(args) == 0 {
		text, err := c.Status(ctx, style)
		fmt.Print(text)
		return err
	}
	command, args := args[0], args[1:]
	switch {
	case command == "help" || command == "-h" || command == "-help" || command == "--help":
		fmt.Print(usage)
		return nil
	case command == "ready" && len(args) == 0:
		return c.Ready(ctx, os.Stdout)
	case command == "watch" && len(args) <= 1, command == "hint" && len(args) <= 1:
		l, r, err := c.At(ctx, args...)
		if err != nil {
			return err
		}
		if command == "watch" {
			return c.Watch(ctx, os.Stdout, l, style)
		}
		hint, err := c.Hint(l, r)
		if err != nil {
			return err
		}
		fmt.Println(hint)
		return nil
	case command == "room" && len(args) > 0:
		text, err := course.Room(ctx, args, style)
		fmt.Print(text)
		return err
	case command == "solution" && len(args) == 1, command == "reset" && len(args) == 1:
		l, err := c.Find(args[0])
		if err != nil {
			return err
		}
		if command == "reset" {
			return reset(c, l)
		}
		code, err := c.Solution(l)
		fmt.Print(code)
		return err
	}
	return errUsage
}

// reset asks before it replaces the file of an exercise.
func reset(c *course.Course, l *course.Lesson) error {
	fmt.Printf("Replace %s by the stub? [y/N] ", l.File())
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // no answer is no
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		fmt.Println("Nothing is changed.")
		return nil
	}
	kept, err := c.Reset(l)
	if err != nil {
		return err
	}
	if kept != "" {
		fmt.Printf("Your code is in %s now.\n", kept)
	}
	return nil
}
