package audit

import (
	"errors"
	"os"
)

// dirLock is what keeps other writers out of a directory: the directory itself, and the file that names its holder.
type dirLock struct{ dir, file *os.File }

func (l dirLock) Close() error { return errors.Join(l.file.Close(), l.dir.Close()) }
