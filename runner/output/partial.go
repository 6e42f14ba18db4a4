package output

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/batchrunner/runner/specs"
)

// maxOpen is how many partial files are open at once: few enough for the 256
// descriptors that macOS gives, with the run's connections beside them.
const maxOpen = 64

// A file is one of the job's output files: what is known of it during a run. Its
// text is in a partial file, under the same path as the file itself will have.
type file struct {
	out    *output
	path   string // inside the root, or the folder of simulated runs
	first  int64  // the row that first named it
	rows   int64  // records written
	failed int64  // failed rows that it has no record of
	unfit  int64  // rows whose record could not be made
	size   int64  // bytes written
	held   []byte // of them those that are not with the operating system yet
	footer string // text: what stands after its last record
	width  int    // csv, tsv: the columns of its header
	keys   keys   // json with keys: those of its records

	made       bool     // there is a partial file
	seen       bool     // what stands at its path has been looked at
	handle     *os.File // nil: not open
	prev, next *file    // in partials.open
}

// partials holds the partial files of one run under one folder, open where they
// were written last. A record is handed to the operating system whole, in one
// write, before the next one is begun: what a dead process leaves behind are
// whole records, but perhaps for the last one (Linux heeds a kill between pages).
//
// The folder is held open, and not only named: should another run of the job
// clear it, this one meets an error and never the other one's files.
type partials struct {
	root   *os.Root
	name   string   // of the folder inside root
	dir    *os.Root // nil before begin
	stored bool     // nothing of earlier runs is needed
	older  bool     // begin found or made a folder of an earlier run
	open   file     // the head of a ring: next is the file written last
	count  int
	closed bool
}

func newPartials(root *os.Root, base, job string) *partials {
	p := &partials{root: root, name: path.Join(base, ".runner/partial", folderName(job))}
	p.open.next, p.open.prev = &p.open, &p.open
	return p
}

// ownName tells jobs of one root apart: two folders may have a job of one name.
func ownName(job *specs.Job) string {
	if job.Dir == "." || job.Dir == "" {
		return job.Name
	}
	return job.Dir + "/" + job.Name // folderName makes it one name
}

// folderName makes a job's name the name of a folder. Names that no folder can
// have get a hash, so that different jobs have different folders.
func folderName(job string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, job)
	if safe == job && checkPart(job) == nil && len(job) <= 100 && !strings.HasSuffix(strings.ToLower(job), previous) {
		return job
	}
	h := fnv.New64a()
	h.Write([]byte(job))
	return fmt.Sprintf("%.80s-%016x", safe, h.Sum64())
}

// begin sets aside what an earlier run left and makes the folder.
func (p *partials) begin() error {
	if p.dir != nil {
		return nil
	}
	if err := p.setAside(); err != nil {
		return failure("clearing", p.name, err)
	}
	if err := p.root.MkdirAll(p.name, 0o777); err != nil {
		return failure("making the folder", p.name, err)
	}
	dir, err := p.root.OpenRoot(p.name)
	if err != nil {
		return failure("opening the folder", p.name, err)
	}
	p.dir = dir
	return nil
}

// previous ends the names of what the run before left.
const previous = ".previous"

// setAside renames the folder of an earlier run, in the place of a still older one.
// A folder without a record goes, and the older one stays.
func (p *partials) setAside() error {
	if p.stored {
		return p.root.RemoveAll(p.name)
	}
	aside := p.name + previous
	kept, err := p.holdsText()
	switch {
	case err != nil:
		return err
	case kept:
		err = errors.Join(p.root.RemoveAll(aside), p.root.Rename(p.name, aside))
	default:
		err = p.root.RemoveAll(p.name)
	}
	if err != nil {
		return err
	}
	_, err = p.root.Lstat(aside)
	p.older = err == nil
	return nil
}

// holdsText says whether the folder of an earlier run is one, with a file that is
// not empty.
func (p *partials) holdsText() (bool, error) {
	info, err := p.root.Lstat(p.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	found := false
	err = fs.WalkDir(p.root.FS(), p.name, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > 0 {
			found = true
			return fs.SkipAll
		}
		return err
	})
	return found, err
}

// clear removes the folder.
func (p *partials) clear() error {
	if err := p.root.RemoveAll(p.name); err != nil {
		return failure("removing", p.name, err)
	}
	return nil
}

// clearOlder removes what earlier runs left.
func (p *partials) clearOlder() error {
	if err := p.root.RemoveAll(p.name + previous); err != nil {
		return failure("removing", p.name+previous, err)
	}
	return nil
}

// create makes a file's partial file. fs.ErrExist means that the file system
// takes its name for that of another one.
func (p *partials) create(f *file) error {
	if dir := path.Dir(f.path); dir != "." {
		if err := p.dir.MkdirAll(dir, 0o777); err != nil {
			return failure("making the folder", p.at(dir), err)
		}
	}
	return p.openFile(f, os.O_CREATE|os.O_EXCL)
}

func (p *partials) openFile(f *file, flags int) error {
	if p.count >= maxOpen {
		if err := p.shut(p.open.prev); err != nil {
			return err
		}
	}
	handle, err := p.dir.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|flags, 0o666)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fs.ErrExist
		}
		return failure("opening", p.at(f.path), err)
	}
	f.handle, f.made = handle, true
	p.count++
	p.front(f)
	return nil
}

// write appends text to a partial file. Where it fails, the file ends with the
// last whole text written before, unless the results are stored.
func (p *partials) write(f *file, text []byte) error {
	if f.handle == nil {
		if err := p.openFile(f, 0); err != nil {
			return err
		}
	} else if p.open.next != f {
		p.unlink(f)
		p.front(f)
	}
	if p.stored {
		f.size += int64(len(text))
		if f.held = append(f.held, text...); len(f.held) < heldBytes {
			return nil
		}
		return p.flush(f)
	}
	n, err := f.handle.Write(text)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, f.handle.Truncate(f.size))
		}
		return failure("writing", p.at(f.path), err)
	}
	f.size += int64(n)
	return nil
}

// heldBytes is how much of a file is held back where the results are stored: then
// nobody misses what a dead process has not written.
const heldBytes = 64 << 10

// flush writes what is held back of an open file.
func (p *partials) flush(f *file) error {
	if len(f.held) == 0 {
		return nil
	}
	_, err := f.handle.Write(f.held)
	f.held = reusable(f.held)
	if err != nil {
		return failure("writing", p.at(f.path), err)
	}
	return nil
}

// shut closes a partial file if it is open.
func (p *partials) shut(f *file) error {
	if f.handle == nil {
		return nil
	}
	p.unlink(f)
	p.count--
	err := p.flush(f)
	handle := f.handle
	f.handle, f.held = nil, nil
	if closing := handle.Close(); closing != nil && err == nil {
		err = failure("writing", p.at(f.path), closing)
	}
	return err
}

// close closes what is open; the partial files stay.
func (p *partials) close() error {
	if p.dir == nil || p.closed {
		return nil
	}
	p.closed = true
	var errs []error
	for p.open.next != &p.open {
		errs = append(errs, p.shut(p.open.next))
	}
	errs = append(errs, p.dir.Close())
	return errors.Join(errs...)
}

// ours says whether the folder still is the one that begin made.
func (p *partials) ours() error {
	if err := p.isAt(p.name); err != nil {
		return failure("opening the folder", p.name, err)
	}
	return nil
}

// isAt says whether the folder that begin made has this name now.
func (p *partials) isAt(name string) error {
	held, err := p.dir.Stat(".")
	if err != nil {
		return err
	}
	named, err := p.root.Stat(name)
	if err != nil {
		return err
	}
	if !os.SameFile(held, named) {
		return fs.ErrNotExist
	}
	return nil
}

// where is the name of the folder, also if another run of the job has set it aside;
// empty: it is closed, or gone.
func (p *partials) where() string {
	if p.dir == nil || p.closed {
		return ""
	}
	for _, name := range []string{p.name, p.name + previous} {
		if p.isAt(name) == nil {
			return name
		}
	}
	return ""
}

// at is the path of a partial file inside the root.
func (p *partials) at(name string) string { return path.Join(p.name, name) }

func (p *partials) front(f *file) {
	f.prev, f.next = &p.open, p.open.next
	f.prev.next, f.next.prev = f, f
}

func (p *partials) unlink(f *file) {
	f.prev.next, f.next.prev = f.next, f.prev
	f.prev, f.next = nil, nil
}
