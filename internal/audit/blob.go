package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	blobsName    = "blobs"
	digestPrefix = "sha256:"
	// BlobMax is how many bytes a blob may have. A larger one is refused, never cut.
	BlobMax = 8 << 20
	// packedMax is more than gzip ever makes of that.
	packedMax = BlobMax + BlobMax>>8 + 1<<10
)

// ErrNoBlob says that a log has no blob of a name.
var ErrNoBlob = errors.New("there is no such blob")

// blobFile is the directory and the name of the file that a blob of this digest is kept in.
func blobFile(dir, digest string) (folder, name string, err error) {
	hexa, ok := strings.CutPrefix(digest, digestPrefix)
	var h Hash
	if !ok || h.read([]byte(hexa)) != nil {
		return "", "", errors.New("a blob is named by sha256: and 64 lower-case hexadecimal digits")
	}
	return filepath.Join(dir, blobsName, hexa[:2]), hexa[2:], nil
}

// PutBlob keeps a content that is too large for a record, such as a prompt, and returns its name: "sha256:" and the hash of
// what the Redact of the options left of it. When it returns without error the blob is on stable storage, so a record may name
// it. To put the same content twice is to put it once.
//
// A context that ends while the disk is busy ends the waiting, and the blob may or may not be kept.
func (l *Log) PutBlob(ctx context.Context, content []byte) (string, error) {
	if l.redact != nil {
		content = l.redact(content)
	}
	digest, err := l.putBlob(ctx, content)
	if err != nil {
		return "", fmt.Errorf("keep a blob of %d bytes beside audit log %s: %w", len(content), l.ID(), err)
	}
	return digest, nil
}

func (l *Log) putBlob(ctx context.Context, content []byte) (string, error) {
	if len(content) > BlobMax {
		return "", fmt.Errorf("a blob has at most %d bytes", BlobMax)
	}
	if err := l.Err(); err != nil {
		return "", fmt.Errorf("the log is broken by an earlier failure and must be reopened: %w", err)
	}
	content = bytes.Clone(content) // the caller may go before we are done
	select {
	case l.blobs <- struct{}{}:
	case <-l.closing:
		return "", ErrClosed
	case <-ctx.Done():
		return "", fmt.Errorf("nothing was written: %w", ctx.Err())
	}
	sum := sha256.Sum256(content)
	digest := digestPrefix + hex.EncodeToString(sum[:])
	done := make(chan error, 1)
	go func() {
		done <- storeBlob(l.tail.dir, digest, content, l.tail.fsync)
		<-l.blobs
	}()
	select {
	case err := <-done:
		return digest, err
	case <-ctx.Done():
		return "", fmt.Errorf("it may or may not be kept: %w", ctx.Err())
	}
}

// storeBlob writes a blob, unless it is there. What is there is read back and made durable again: it may be the work of one who
// crashed before it was, or have decayed since.
func storeBlob(dir, digest string, content []byte, fsync func(*os.File) error) error {
	folder, name, err := blobFile(dir, digest)
	if err != nil {
		return err
	}
	if err := makeDir(folder, fsync); err != nil {
		return err
	}
	if _, err := Blob(dir, digest); err == nil {
		return syncDir(folder, fsync)
	}
	packed, err := pack(content)
	if err != nil {
		return err
	}
	return replaceFile(folder, name, packed, fsync)
}

// Blob returns the content of that name from the log in dir. ErrNoBlob says that it is not there; what is there and does not
// match its name is a *Damage.
func Blob(dir, digest string) ([]byte, error) {
	folder, name, err := blobFile(dir, digest)
	if err != nil {
		return nil, fmt.Errorf("read a blob: %w", err)
	}
	path := filepath.Join(folder, name)
	packed, err := readSmall(path, packedMax)
	if errors.Is(err, os.ErrNotExist) {
		err = ErrNoBlob
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", digest, err)
	}
	content, err := unpack(packed)
	if err != nil {
		return nil, &Damage{File: path, Problem: err.Error()}
	}
	if sum := sha256.Sum256(content); digestPrefix+hex.EncodeToString(sum[:]) != digest {
		return nil, &Damage{File: path, Problem: "the blob does not match its name: it was changed after it was written"}
	}
	return content, nil
}

// pack makes a gzip file, so that zcat is all that anybody needs to read a blob.
func pack(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("compress a blob: %w", err)
	}
	return b.Bytes(), nil
}

// unpack reads what pack makes. It never makes more than BlobMax bytes of it, whatever it says of itself.
func unpack(packed []byte) ([]byte, error) {
	rest := bytes.NewReader(packed)
	r, err := gzip.NewReader(rest)
	if err != nil {
		return nil, fmt.Errorf("open a compressed blob: %w", err)
	}
	r.Multistream(false)
	content, err := io.ReadAll(io.LimitReader(r, BlobMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("decompress a blob: %w", err)
	case len(content) > BlobMax:
		return nil, fmt.Errorf("the blob has more than %d bytes", BlobMax)
	case rest.Len() > 0:
		return nil, fmt.Errorf("%d bytes stand after the blob's end", rest.Len())
	}
	return content, nil
}
