package clientstream

import (
	"crypto/rand"
	"errors"
	"os"
	"runtime"
)

// A partial is a file that has a temporary name until it is complete. Under
// the final name, a reader finds the old file or the new one, and never half
// of one, also after a power failure: publish syncs the bytes, then gives
// the name, then, except on Windows, syncs the directory. A process that
// ends first can leave the temporary name, so remove old ones from time to time.
type partial struct {
	*os.File
	root *os.Root
	name string
	sync func(*os.File) error // for tests; otherwise [os.File.Sync]
}

// newPartial creates a partial file in root. Its name begins with a dot, so
// no upload can ask for that name. The name ends with at least 128 random
// bits, so two partial files do not get the same name.
func newPartial(root *os.Root) (*partial, error) {
	name := ".upload-" + rand.Text()
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &partial{File: file, root: root, name: name, sync: (*os.File).Sync}, nil
}

// publish gives the file its name in one step, so a reader of that name never
// sees a part of the file. Without replace, publish fails with [fs.ErrExist]
// if the name is in use by now. After an error, the file does not have the
// name, unless the disk fails after a file was replaced, or does not let
// publish remove the name again.
func (p *partial) publish(name string, replace bool) error {
	// After the name is given, no step may need a resource that can run
	// out, such as a file descriptor.
	dir, err := p.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	// The bytes reach the disk before the name does. Otherwise, after a
	// power failure, the name could belong to a file with holes.
	if err := errors.Join(p.sync(p.File), p.Close()); err != nil {
		return err
	}
	if err := p.rename(name, replace); err != nil {
		return err
	}
	if err := p.syncDir(dir); err != nil {
		p.takeBack(name)
		return err
	}
	return nil
}

// rename replaces the file that has the name. Without replace, it fails if
// the name is in use. [os.Root.Rename] replaces a file without asking, so without
// replace, rename makes a hard link, and the system decides which of two uploads came
// first. The temporary name then remains until discard removes it.
func (p *partial) rename(name string, replace bool) error {
	if replace {
		return p.root.Rename(p.name, name)
	}
	return p.root.Link(p.name, name)
}

// discard removes the temporary name, and also the file if it has no other
// name.
func (p *partial) discard() {
	// After publish the file is closed, and after a rename its temporary
	// name is gone. The errors then say only that nothing is left to do.
	_ = p.Close()
	_ = p.root.Remove(p.name)
}

// syncDir makes the names in dir survive a power failure.
func (p *partial) syncDir(dir *os.File) error {
	if runtime.GOOS == "windows" { // Sync of a directory is an error there
		return nil
	}
	return p.sync(dir)
}

// takeBack removes the name that rename gave, unless another upload has
// replaced the file. After a replace, only the new file is left, so takeBack
// does nothing.
func (p *partial) takeBack(name string) {
	mine, _ := p.root.Lstat(p.name) // nil after a replace
	found, _ := p.root.Lstat(name)
	if os.SameFile(mine, found) {
		_ = p.root.Remove(name) // publish reports why it failed
	}
}
