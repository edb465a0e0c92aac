package clientstream

import (
	"crypto/rand"
	"errors"
	"os"
	"runtime"
)

// A partial file has a temporary name until it is whole.
type partial struct {
	*os.File
	root *os.Root
	name string
}

// newPartial creates one in root. Its name begins with a dot, so no upload
// can ask for it, and ends with 128 random bits, so no two are the same.
func newPartial(root *os.Root) (*partial, error) {
	name := ".upload-" + rand.Text()
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &partial{File: file, root: root, name: name}, nil
}

// publish gives the file its name, in one step: a reader sees all of it or
// nothing. Without replace it fails with [fs.ErrExist] if the name is
// taken by now.
func (p *partial) publish(name string, replace bool) error {
	// The bytes reach the disk before the name does. Otherwise a power
	// failure may leave the name with holes behind it.
	if err := errors.Join(p.Sync(), p.Close()); err != nil {
		return err
	}
	if err := p.rename(name, replace); err != nil {
		return err
	}
	return syncDir(p.root)
}

// rename replaces what has the name, or fails if anything has it. A rename
// always replaces, so the second kind is a hard link: the system decides
// which of two uploads came first. discard then removes the other name.
func (p *partial) rename(name string, replace bool) error {
	if replace {
		return p.root.Rename(p.name, name)
	}
	return p.root.Link(p.name, name)
}

// discard removes the temporary name, and the file if it has no other.
func (p *partial) discard() {
	// Both fail after a rename, when there is nothing left to do.
	_ = p.Close()
	_ = p.root.Remove(p.name)
}

// syncDir makes the names in root survive a power failure.
func syncDir(root *os.Root) error {
	if runtime.GOOS == "windows" { // cannot sync a directory, nor needs to
		return nil
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
