#include "walk.h"

#include <torch/csrc/stable/ops.h>

#include <memory>

namespace lionkit {

namespace {

// Fewer numbers than this are not worth a second thread: about 10 us of work.
constexpr int64_t kGrain = 32768;

// Numbers that are surveyed together before they are stepped: so many that threads seldom wait for each other, so few
// that their marks, 4 MB, are no burden. A larger parameter is surveyed alone.
constexpr int64_t kSurveyed = int64_t(1) << 24;

using Pieces = std::vector<Piece>;

// Under a mask one thread has the whole of a small parameter, to step it while what it surveyed is in its cache.
bool is_whole(const Piece& piece) { return piece.loops.survey != nullptr && piece.numel <= kGrain; }

int64_t blocks(int64_t numel) { return (numel + kBlock - 1) / kBlock; }

// Lays the pieces end to end, those with work for several threads first. Returns the first of the others.
Pieces::iterator lay_out(Pieces& pieces) {
  const auto wholes = std::stable_partition(pieces.begin(), pieces.end(),
                                            [](const Piece& piece) { return !is_whole(piece); });
  int64_t end = 0, num_blocks = 0;
  for (Piece& piece : pieces) {
    piece.end = end += piece.numel;
    piece.first_block = num_blocks;
    num_blocks += blocks(piece.numel);
  }
  return wholes;
}

int64_t begin_of(const Piece& piece) { return piece.end - piece.numel; }

// Calls `visit(piece, begin, count)` for the blocks whose first number is among [begin, end) of all pieces.
template <typename Visit>
void visit_blocks(Pieces& pieces, int64_t begin, int64_t end, const Visit& visit) {
  auto piece = std::upper_bound(pieces.begin(), pieces.end(), begin,
                                [](int64_t number, const Piece& p) { return number < p.end; });
  for (; piece != pieces.end() && begin_of(*piece) < end; ++piece) {
    const int64_t start = begin_of(*piece);
    int64_t block = blocks(std::max(begin - start, int64_t(0)));
    for (; block * kBlock < std::min(piece->numel, end - start); ++block)
      visit(*piece, block * kBlock, std::min(kBlock, piece->numel - block * kBlock));
  }
}

class Walk {
 public:
  Walk(Pieces& pieces, const Settings& settings, bool measured)
      : pieces_(pieces),
        settings_(settings),
        wholes_(lay_out(pieces)),
        sums_(measured ? pieces.back().first_block + blocks(pieces.back().numel) : 0) {}

  Sums run() {
    if (!settings_.masked) {
      step_shared(pieces_.begin(), pieces_.end());
    } else {
      for (auto first = pieces_.begin(); first != wholes_;) first = run_surveyed(first);
      run_wholes();
    }
    Sums total;
    for (const Sums& block : sums_) total.add(block);
    return total;
  }

 private:
  using Iterator = Pieces::iterator;

  Sums* sums_at(const Piece& piece, int64_t begin) {
    return sums_.empty() ? nullptr : &sums_[piece.first_block + begin / kBlock];
  }
  void step(const Piece& piece, int64_t begin, int64_t count) {
    piece.loops.step(piece, begin, count, settings_, sums_at(piece, begin));
  }
  int64_t survey(const Piece& piece, int64_t begin, int64_t count) {
    return piece.loops.survey(piece, begin, count, settings_, sums_at(piece, begin));
  }

  template <typename Visit>
  void share(Iterator first, Iterator last, const Visit& visit) {
    torch::stable::parallel_for(begin_of(*first), std::prev(last)->end, kGrain, [&](int64_t begin, int64_t end) {
      visit_blocks(pieces_, begin, end, visit);
    });
  }

  void step_shared(Iterator first, Iterator last) {
    share(first, last, [&](const Piece& piece, int64_t begin, int64_t count) { step(piece, begin, count); });
  }

  void hand_out_marks(Iterator first, Iterator last) {
    const auto from = [&](int64_t block) { return (block - first->first_block) * (kBlock / kMarksPerByte); };
    const int64_t needed = from(std::prev(last)->first_block + blocks(std::prev(last)->numel));
    if (needed > mark_bytes_) marks_ = std::make_unique_for_overwrite<uint8_t[]>(mark_bytes_ = needed);
    for (auto piece = first; piece != last; ++piece) piece->marks = &marks_[from(piece->first_block)];
  }

  // Surveys some pieces, then steps them; returns the next one.
  Iterator run_surveyed(Iterator first) {
    Iterator last = first;
    while (last != wholes_ && (last == first || last->end - begin_of(*first) <= kSurveyed)) ++last;
    if (first->loops.marks) hand_out_marks(first, last);
    share(first, last, [&](Piece& piece, int64_t begin, int64_t count) {
      // Integers: the order of the threads does not matter.
      __atomic_fetch_add(&piece.num_agree, survey(piece, begin, count), __ATOMIC_RELAXED);
    });
    step_shared(first, last);
    return last;
  }

  void run_whole(Piece& piece) {
    uint8_t marks[kGrain / kMarksPerByte];
    piece.marks = marks;
    const auto each_block = [&](const auto& visit) {
      for (int64_t begin = 0; begin < piece.numel; begin += kBlock) visit(begin, std::min(kBlock, piece.numel - begin));
    };
    each_block([&](int64_t begin, int64_t count) { piece.num_agree += survey(piece, begin, count); });
    each_block([&](int64_t begin, int64_t count) { step(piece, begin, count); });
    piece.marks = nullptr;
  }

  // Each by the thread whose share has its first number.
  void run_wholes() {
    if (wholes_ == pieces_.end()) return;
    torch::stable::parallel_for(begin_of(*wholes_), pieces_.back().end, kGrain, [&](int64_t begin, int64_t end) {
      const auto starts_before = [](const Piece& piece, int64_t number) { return begin_of(piece) < number; };
      const auto first = std::lower_bound(wholes_, pieces_.end(), begin, starts_before);
      std::for_each(first, std::lower_bound(first, pieces_.end(), end, starts_before),
                    [&](Piece& piece) { run_whole(piece); });
    });
  }

  Pieces& pieces_;
  const Settings& settings_;
  const Iterator wholes_;
  std::vector<Sums> sums_;
  std::unique_ptr<uint8_t[]> marks_;
  int64_t mark_bytes_ = 0;
};

}  // namespace

Sums walk(std::vector<Piece>& pieces, const Settings& settings, bool measured) {
  return pieces.empty() ? Sums{} : Walk(pieces, settings, measured).run();
}

}  // namespace lionkit
