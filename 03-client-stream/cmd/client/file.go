package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// open is [os.Open], except that it ends with ctx. Otherwise it would wait
// until somebody writes to a pipe.
func open(ctx context.Context, path string) (*os.File, error) {
	var file *os.File
	opened := make(chan error, 1)
	go func() {
		var err error
		file, err = os.Open(path)
		opened <- err
	}()
	select {
	case err := <-opened:
		return file, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func describe(file *os.File) (*uploadv1.FileInfo, error) {
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		return nil, fmt.Errorf("%s: is a directory", file.Name())
	}
	info := &uploadv1.FileInfo{
		Name:    cmp.Or(*name, filepath.Base(file.Name())),
		Replace: *replace,
	}
	// The size of a pipe is unknown. Most files in /proc have size 0,
	// although they are not empty.
	if size := stat.Size(); stat.Mode().IsRegular() && size > 0 {
		info.Size = new(size) // since Go 1.26: a pointer to a copy of size
	}
	return info, nil
}

func isTerminal(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}
