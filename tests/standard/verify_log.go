// Verifies a published log with Go's own readers of transparency logs, and with nothing of ours.
//
//	verify_log VERIFIER_KEY FOLDER_OR_URL [OLDER_CHECKPOINT]
//
// It opens the checkpoint as a signed note, reads the tree through its tiles (each of which is checked against the signed
// root), hashes every entry of every bundle against its leaf, and makes and checks record proofs and tree proofs. With an older
// checkpoint of the log, it proves that the log only grew since. The last line that it prints is a JSON object; the exit code is 1
// where anything does not hold.
//
// Build: GO111MODULE=off GOPATH=/usr/share/gocode go build -o verify_log tests/standard/verify_log.go
// (Debian: golang-go golang-golang-x-mod-dev).
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
	// A full bundle of the largest entries has 256 times 32,770 bytes.
	sizeMax = 256 * 32770
	// Leaves whose hashes are asked for at once, and how many proofs of each kind are made at most.
	batch     = 16 * width
	proofsMax = 300
)

// source reads one resource of the log.
type source func(path string) ([]byte, error)

func folder(root string) source {
	return func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	}
}

func web(prefix string) source {
	client := &http.Client{Timeout: 20 * time.Second}
	return func(path string) ([]byte, error) {
		response, err := client.Get(strings.TrimSuffix(prefix, "/") + "/" + path)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, sizeMax+1))
		if err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s: %s", path, response.Status, body)
		}
		return body, nil
	}
}

// tiles gives Go's reader the tiles under C2SP's names, which leave out the height.
type tiles struct{ read source }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		data, err := t.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkpoint opens a signed note and reads the three lines that every log's checkpoint begins with.
func checkpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: its origin is not %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 {
		return tlog.Tree{}, fmt.Errorf("checkpoint: size %q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("checkpoint: root %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// bundle reads the entries under the n-th tile of level 0.
func bundle(read source, n, count int64) ([][]byte, error) {
	// The form of the name is that of Go's raw tiles.
	tile := tlog.Tile{H: height, L: -1, N: n, W: int(count)}
	data, err := read(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 {
			return nil, fmt.Errorf("bundle %d ends within a length", n)
		}
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, fmt.Errorf("bundle %d ends within an entry", n)
		}
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if int64(len(entries)) != count {
		return nil, fmt.Errorf("bundle %d has %d entries, not %d", n, len(entries), count)
	}
	return entries, nil
}

// leaves hashes every entry and compares it with its leaf, which the reader has checked against the root.
func leaves(read source, tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += batch {
		end := first + batch
		if end > tree.N {
			end = tree.N
		}
		var wanted []int64
		for index := first; index < end; index++ {
			wanted = append(wanted, tlog.StoredHashIndex(0, index))
		}
		expected, err := hashes.ReadHashes(wanted)
		if err != nil {
			return err
		}
		for start := first; start < end; start += width {
			count := end - start
			if count > width {
				count = width
			}
			entries, err := bundle(read, start/width, count)
			if err != nil {
				return err
			}
			for position, entry := range entries {
				index := start + int64(position)
				if tlog.RecordHash(entry) != expected[index-first] {
					return fmt.Errorf("entry %d does not hash to its leaf", index)
				}
			}
		}
	}
	return nil
}

// spread gives at most proofsMax numbers from 0 to n-1, the first and the last among them.
func spread(n int64) []int64 {
	step := (n + proofsMax - 1) / proofsMax
	var numbers []int64
	for number := int64(0); number < n; number += step {
		numbers = append(numbers, number)
	}
	if numbers[len(numbers)-1] != n-1 {
		numbers = append(numbers, n-1)
	}
	return numbers
}

func records(tree tlog.Tree, hashes tlog.HashReader) (int, error) {
	numbers := spread(tree.N)
	for _, index := range numbers {
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return 0, err
		}
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return 0, fmt.Errorf("record proof of entry %d: %w", index, err)
		}
	}
	return len(numbers), nil
}

func grew(tree tlog.Tree, older tlog.Tree, hashes tlog.HashReader) error {
	proof, err := tlog.ProveTree(tree.N, older.N, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash); err != nil {
		return fmt.Errorf("tree proof from %d to %d entries: %w", older.N, tree.N, err)
	}
	return nil
}

func trees(tree tlog.Tree, hashes tlog.HashReader) (int, error) {
	numbers := spread(tree.N)
	for _, number := range numbers {
		older := tlog.Tree{N: number + 1}
		var err error
		if older.Hash, err = tlog.TreeHash(older.N, hashes); err != nil {
			return 0, err
		}
		if err := grew(tree, older, hashes); err != nil {
			return 0, err
		}
	}
	return len(numbers), nil
}

func verify(key, location, olderFile string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	read := folder(location)
	if strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://") {
		read = web(location)
	}
	text, err := read("checkpoint")
	if err != nil {
		return err
	}
	tree, err := checkpoint(text, verifier)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, tiles{read})
	if err := leaves(read, tree, hashes); err != nil {
		return err
	}
	recordProofs, err := records(tree, hashes)
	if err != nil {
		return err
	}
	treeProofs, err := trees(tree, hashes)
	if err != nil {
		return err
	}
	result := map[string]interface{}{
		"origin": verifier.Name(), "size": tree.N, "root": tree.Hash.String(),
		"record_proofs": recordProofs, "tree_proofs": treeProofs,
	}
	if olderFile != "" {
		text, err := os.ReadFile(olderFile)
		if err != nil {
			return err
		}
		older, err := checkpoint(text, verifier)
		if err != nil {
			return err
		}
		if err := grew(tree, older, hashes); err != nil {
			return err
		}
		result["grew_from"] = older.N
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func main() {
	err := errors.New("usage: verify_log VERIFIER_KEY FOLDER_OR_URL [OLDER_CHECKPOINT]")
	if len(os.Args) == 3 || len(os.Args) == 4 {
		err = verify(os.Args[1], os.Args[2], strings.Join(os.Args[3:], ""))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify_log:", err)
		os.Exit(1)
	}
}
