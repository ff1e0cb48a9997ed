#include "storage/rocksdb_repair.hpp"

#include "messages/error.hpp"
#include "storage/directory_lock.hpp"
#include "storage/journal_retention.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/rocksdb_view.hpp"
#include "storage/store_key.hpp"
#include "storage/stored_run_names.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>
#include <unistd.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

/// Where the new store is made, and where tables and logs are put together anew.
constexpr const char* repairing_name = "repairing";
constexpr const char* salvaging_name = "salvaging";
/// In a new store: the name of the directory that the old one goes to.
constexpr const char* aside_file = "ASIDE";
/// Lines of lost numbers that could still be read.
constexpr const char* lost_events_file = "lost-events.jsonl";
/// Makes RocksDB know every space where it finds no table of it. It is behind every other key.
constexpr std::string_view placeholder = "\xff\xff placeholder";

[[noreturn]] void fail(const fs::path& directory, std::string_view step,
                       const std::error_code& why) {
  throw failure(error_code::store_failed, fmt::format("repair of {}: {} failed: {}",
                                                      directory.string(), step, why.message()));
}

/// `change` of files, by the functions that answer with an error code.
template <class Change>
void require_done(const fs::path& directory, std::string_view step, const Change& change) {
  std::error_code problem;
  change(problem);
  if (problem)
    fail(directory, step, problem);
}

void sync(const fs::path& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0 || ::fsync(file) != 0)
    fail(directory, "syncing", {errno, std::generic_category()});
  ::close(file);
}

void write_durably(const fs::path& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const bool done =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<::ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  const std::error_code problem{errno, std::generic_category()};
  if (file >= 0)
    ::close(file);
  if (!done)
    fail(path.parent_path(), "writing " + path.filename().string(), problem);
}

/// Files of the store, not those of the node beside it.
bool is_of_store(const std::string& name) {
  const auto kind = fs::path{name}.extension();
  return kind == ".sst" || kind == ".log" || name == "CURRENT" || name == "IDENTITY" ||
         name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") || name == "LOG" ||
         name.starts_with("LOG.old") || name == commit_mark_path("").string();
}

/// CURRENT last: with it a directory becomes a store.
std::vector<std::string> files_of_store(const fs::path& directory) {
  std::vector<std::string> names;
  require_done(directory, "listing", [&](std::error_code& problem) {
    for (fs::directory_iterator at{directory, problem}, end; !problem && at != end;
         at.increment(problem))
      if (auto name = at->path().filename().string(); is_of_store(name))
        names.push_back(std::move(name));
  });
  std::sort(names.begin(), names.end());
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name != "CURRENT"; });
  return names;
}

void move_files(const fs::path& from, const fs::path& to, const std::vector<std::string>& names) {
  for (const auto& name : names)
    require_done(from, "moving " + name,
                 [&](std::error_code& problem) { fs::rename(from / name, to / name, problem); });
  sync(to);
  sync(from);
}

/// Puts what was made in the place of the store; goes on where it was interrupted. Where the old
/// files lie now; "" when there was nothing to do.
fs::path take_the_place(const fs::path& directory) {
  const auto repaired = directory / repaired_name;
  const auto replacing = directory / replacing_name;
  const bool moves_aside = fs::exists(repaired);
  if (!moves_aside && !fs::exists(replacing))
    return {};
  std::string name;
  std::getline(std::ifstream{(moves_aside ? repaired : replacing) / aside_file}, name);
  if (name.empty() || fs::path{name}.has_parent_path())
    throw failure(
        error_code::store_failed,
        fmt::format("repair of {}: the file {} in what was made does not name a directory",
                    directory.string(), aside_file));
  const auto aside = directory / name;
  if (moves_aside) {
    require_done(directory, "making " + name,
                 [&](std::error_code& problem) { fs::create_directory(aside, problem); });
    auto old = files_of_store(directory);
    std::rotate(old.begin(), std::find(old.begin(), old.end(), "CURRENT"), old.end());
    move_files(directory, aside, old);
    require_done(directory, "renaming what was made",
                 [&](std::error_code& problem) { fs::rename(repaired, replacing, problem); });
  }
  if (fs::exists(replacing / lost_events_file))
    move_files(replacing, aside, {lost_events_file});
  move_files(replacing, directory, files_of_store(replacing));
  require_done(directory, "removing what is left",
               [&](std::error_code& problem) { fs::remove_all(replacing, problem); });
  sync(directory);
  return aside;
}

std::vector<number_range> holes_of(const store_reader& rows) {
  std::vector<number_range> holes;
  constexpr std::size_t at_once = 1000;
  std::int64_t expected = find_journal_bounds(rows).first;
  for (auto entries = rows.scan(store_space::journal, {}, {}, at_once); !entries.empty();
       entries = rows.scan(store_space::journal, {}, journal_key(expected), at_once))
    for (const auto& entry : entries) {
      const auto number = journal_number(entry.key);
      if (number > expected)
        holes.push_back({expected, number - 1});
      expected = number + 1;
    }
  return holes;
}

rocksdb::Options table_options() {
  return {rocksdb_database_options(), rocksdb_families().back().options};
}

/// Puts tables and logs together anew where the manifest or a table cannot be read.
class salvage {
public:
  explicit salvage(const fs::path& directory)
      : directory_(directory), place_(directory / salvaging_name),
        known_(find_damaged_tables(directory)) {
    fs::remove_all(place_);
    require_done(place_, "making it",
                 [&](std::error_code& problem) { fs::create_directory(place_, problem); });
    gather_tables();
    add_placeholders();
    const auto status =
        rocksdb::RepairDB(place_.string(), rocksdb_database_options(), rocksdb_families());
    if (!status.ok())
      fail_rocksdb(directory_, "what is left cannot be put together", status);
    // Only now: a repair would read on behind damage in a log.
    for (const auto& name : files_of_store(directory_))
      if (name.ends_with(".log"))
        copy(name);
    view_.emplace(place_, rocksdb_view::options{});
  }
  salvage(const salvage&) = delete;
  salvage& operator=(const salvage&) = delete;
  ~salvage() {
    view_.reset();
    std::error_code ignored; // the next repair removes it
    fs::remove_all(place_, ignored);
  }

  const rocksdb_view& rows() const { return *view_; }
  const std::vector<std::string>& damage() const noexcept { return damage_; }
  /// A table with rows of runs is damaged, or one of which nothing is known.
  bool has_lost_rows() const noexcept { return has_lost_rows_; }

  /// The first number of the damaged tables; 0 for none.
  std::int64_t first_number() const {
    std::int64_t first = 0;
    for (const auto& table : known_)
      if (const auto number = parse_number_key_part(table.smallest);
          table.family == to_string(store_space::journal) && number)
        if (const auto here = static_cast<std::int64_t>(*number); first == 0 || here < first)
          first = here;
    return first;
  }

  /// A journal line that a damaged table still holds.
  std::optional<std::string> find(const std::string& key) const {
    for (const auto& table : partly_readable_) {
      const std::unique_ptr<rocksdb::Iterator> at{table->NewIterator({})};
      at->Seek(key);
      if (at->Valid() && at->key().ToString() == key)
        return at->value().ToString();
    }
    return std::nullopt;
  }

private:
  /// Why a table is not used; "" for one that is whole.
  std::string problem_of(const std::string& name, rocksdb::SstFileReader& reader) const {
    const auto told = std::find_if(known_.begin(), known_.end(),
                                   [&](const auto& table) { return table.file == name; });
    if (told != known_.end())
      return told->problem;
    auto status = reader.Open((directory_ / name).string());
    if (status.ok())
      status = reader.VerifyChecksum();
    return status.ok() ? "" : status.ToString();
  }

  void note_damage(const std::string& name, const std::string& family, const std::string& problem) {
    damage_.push_back(fmt::format("table {} of {}: {}", name,
                                  family.empty() ? "an unknown space" : family, problem));
    if (family != to_string(store_space::journal) && family != to_string(store_space::candles))
      has_lost_rows_ = true;
  }

  void gather_tables() {
    for (const auto& table : known_)
      if (!fs::exists(directory_ / table.file))
        note_damage(table.file, table.family, table.problem);
    for (const auto& name : files_of_store(directory_))
      if (name.ends_with(".sst"))
        take_table(name);
  }

  void take_table(const std::string& name) {
    auto reader = std::make_unique<rocksdb::SstFileReader>(table_options());
    const auto problem = problem_of(name, *reader);
    if (problem.empty()) {
      std::error_code cannot_link;
      fs::create_hard_link(directory_ / name, place_ / name, cannot_link);
      if (cannot_link)
        copy(name);
      return;
    }
    const auto told = std::find_if(known_.begin(), known_.end(),
                                   [&](const auto& table) { return table.file == name; });
    auto family = told == known_.end() ? "" : told->family;
    if (family.empty()) {
      rocksdb::SstFileReader properties{table_options()};
      if (properties.Open((directory_ / name).string()).ok() && properties.GetTableProperties())
        family = properties.GetTableProperties()->column_family_name;
    }
    note_damage(name, family, problem);
    if (told == known_.end() && family == to_string(store_space::journal))
      partly_readable_.push_back(std::move(reader));
  }

  void copy(const std::string& name) {
    require_done(place_, "copying " + name, [&](std::error_code& problem) {
      fs::copy_file(directory_ / name, place_ / name, problem);
    });
  }

  void add_placeholders() {
    const auto pattern = place_ / "pattern";
    rocksdb_options small;
    small.reserve_bytes = 0;
    store_batch batch;
    for (std::size_t i = 0; i < store_space_count; ++i)
      batch.put(static_cast<store_space>(i), placeholder, "");
    open_rocksdb_store(pattern, small)->commit(batch);
    open_rocksdb_store(pattern, small); // opened again, its log becomes tables
    std::uint64_t number = 0;
    for (const auto& name : files_of_store(place_))
      number = std::max<std::uint64_t>(number, std::strtoull(name.c_str(), nullptr, 10));
    for (const auto& name : files_of_store(pattern))
      if (name.ends_with(".sst"))
        require_done(place_, "adding " + name, [&](std::error_code& problem) {
          fs::rename(pattern / name, place_ / fmt::format("{:06}.sst", ++number), problem);
        });
    fs::remove_all(pattern);
  }

  fs::path directory_;
  fs::path place_;
  std::vector<damaged_table> known_; ///< by the manifest
  std::vector<std::string> damage_;
  bool has_lost_rows_ = false;
  std::vector<std::unique_ptr<rocksdb::SstFileReader>> partly_readable_;
  std::optional<rocksdb_view> view_;
};

class repair {
public:
  repair(const fs::path& directory, instant now) : directory_(directory), now_(now) {}

  store_repair perform() {
    for (const auto* leftover : {repairing_name, salvaging_name})
      require_done(
          directory_, "removing what an earlier repair left",
          [&](std::error_code& problem) { fs::remove_all(directory_ / leftover, problem); });
    if (const auto aside = take_the_place(directory_); !aside.empty()) {
      result_.damage.push_back("an earlier repair was interrupted; it is finished now");
      result_.aside = aside;
      result_.journal = find_journal_bounds(*open_rocksdb_reader(directory_));
      return result_;
    }
    require_something();
    inspect();
    if (result_.damage.empty())
      return result_;
    make();
    result_.aside = take_the_place(directory_);
    return result_;
  }

private:
  void require_something() const {
    const auto names = files_of_store(directory_);
    if (std::none_of(names.begin(), names.end(), [](const std::string& name) {
          return name == "CURRENT" || name == commit_mark_path("").string() ||
                 name.ends_with(".sst") || name.ends_with(".log");
        }))
      throw failure(error_code::not_found,
                    fmt::format("store {}: nothing was stored here; expected a data directory",
                                directory_.string()));
  }

  /// What is wrong; leaves `whole_` where tables and manifest are whole.
  void inspect() {
    try {
      mark_ = read_commit_mark(commit_mark_path(directory_));
    } catch (const failure& caught) {
      if (may_come_back(caught.code()))
        throw;
      result_.damage.emplace_back(caught.what());
    }
    try {
      require_whole_store(directory_);
      require_manifest(directory_, mark_);
      whole_.emplace(directory_, rocksdb_view::options{});
    } catch (const failure& caught) {
      result_.damage.emplace_back(caught.what());
      // The tables may hold less than a missing log, and more than what is left of it.
      lacks_log_ = result_.damage.back().find("WAL") != std::string::npos;
      return;
    }
    if (const auto status = whole_->database().VerifyChecksum(); !status.ok()) {
      result_.damage.push_back(status.ToString());
      whole_.reset();
      return;
    }
    try {
      require_acknowledged(directory_, whole_->tables(), *whole_, mark_);
    } catch (const failure& caught) {
      result_.damage.emplace_back(caught.what());
    }
    if (const auto holes = holes_of(*whole_); !holes.empty())
      result_.damage.push_back(fmt::format("journal numbers {} are missing", to_text(holes)));
  }

  void make() {
    const auto made = directory_ / repairing_name;
    rocksdb_options options;
    options.reserve_bytes = 0;
    const auto aside = fmt::format("damaged-{}", time_in_name());
    {
      const auto target = open_rocksdb_store(made, options);
      if (whole_) {
        fill(*target, *whole_, *whole_);
      } else {
        const salvage left{directory_};
        result_.damage.insert(result_.damage.end(), left.damage().begin(), left.damage().end());
        fill(*target, left.rows(), left.rows(), &left);
      }
    }
    keep_lost_lines(made);
    write_durably(made / aside_file, aside + '\n');
    whole_.reset();
    fs::remove(made / "LOCK");
    sync(made);
    require_done(directory_, "finishing what was made", [&](std::error_code& problem) {
      fs::rename(made, directory_ / repaired_name, problem);
    });
    sync(directory_);
  }

  std::string time_in_name() const {
    auto text = to_iso(now_); // 2024-01-01T00:00:00.000Z
    std::erase_if(text, [](char c) { return c == ':' || c == '-'; });
    const auto plain = text.substr(0, text.find('.'));
    for (int again = 1;; ++again)
      if (const auto name = again == 1 ? plain : fmt::format("{}-{}", plain, again);
          !fs::exists(directory_ / ("damaged-" + name)))
        return name;
  }

  void fill(store& target, const store_reader& rows, const rocksdb_view& view,
            const salvage* left = nullptr) {
    const auto kept = kept_by_retention(rows);
    copy(target, rows, store_space::candles, {});
    copy(target, rows, store_space::journal,
         kept.first > 0 ? journal_key(kept.first) : std::string{});
    const auto found = find_journal_bounds(target);
    newest_ = std::max({found.last, kept.last, mark_ ? mark_->journal_last : 0});
    auto first = kept.first > 0 ? kept.first : found.first;
    if (const auto lost = left != nullptr && kept.first == 0 ? left->first_number() : 0;
        lost > 0 && (first == 0 || lost < first))
      first = lost;
    if (left != nullptr)
      rescue_lines(target, *left, first);
    const bool is_short =
        left != nullptr && ((mark_ && view.database().GetLatestSequenceNumber() < mark_->commits) ||
                            left->has_lost_rows() || lacks_log_);
    if (is_short) {
      result_.all_rows_lost = true;
      result_.rows_dropped = count(rows, store_space::state);
    } else {
      copy(target, rows, store_space::state, {});
    }
    result_.lost = repair_journal(target, first, newest_, now_);
    result_.journal = find_journal_bounds(target);
    result_.runs = stored_run_names(target);
  }

  template <class Visit>
  static void visit(const store_reader& from, store_space space, std::string next,
                    const Visit& take) {
    constexpr std::size_t at_once = 256;
    for (auto entries = from.scan(space, {}, next, at_once); !entries.empty();
         entries = from.scan(space, {}, next, at_once)) {
      next = entries.back().key + '\0'; // the smallest key behind it
      for (const auto& entry : entries)
        if (entry.key != placeholder)
          take(entry);
    }
  }

  static void copy(store& target, const store_reader& from, store_space space, std::string next) {
    store_batch batch;
    visit(from, space, std::move(next), [&](const store_entry& entry) {
      batch.put(space, entry.key, entry.value);
      commit_if_large(target, batch);
    });
    target.commit(batch);
  }

  static std::size_t count(const store_reader& from, store_space space) {
    std::size_t rows = 0;
    visit(from, space, {}, [&](const store_entry&) { ++rows; });
    return rows;
  }

  /// Of a damaged table most blocks can still be read.
  void rescue_lines(store& target, const salvage& left, std::int64_t first) {
    store_batch batch;
    auto expected = std::max<std::int64_t>(first, 1);
    const auto rescue_up_to = [&](std::int64_t end) {
      for (; expected < end; ++expected)
        if (const auto line = left.find(journal_key(expected)))
          batch.put(store_space::journal, journal_key(expected), *line);
    };
    visit(target, store_space::journal, {}, [&](const store_entry& entry) {
      const auto number = journal_number(entry.key);
      rescue_up_to(number);
      expected = number + 1;
    });
    rescue_up_to(newest_ + 1);
    target.commit(batch);
  }

  /// Lines behind damage in a log are no part of the store any more, but people may want to know.
  void keep_lost_lines(const fs::path& made) {
    if (result_.lost.empty())
      return;
    std::string lines;
    try {
      const rocksdb_view rows{directory_, {nullptr, false, true}};
      visit(rows, store_space::journal, journal_key(result_.lost.front().first),
            [&](const store_entry& entry) {
              if (!was_lost(journal_number(entry.key)))
                return;
              lines += entry.value + '\n';
              ++result_.lines_found;
            });
    } catch (const failure&) {
      // Then no more of them can be read.
    }
    if (!lines.empty())
      write_durably(made / lost_events_file, lines);
  }

  bool was_lost(std::int64_t number) const {
    return std::any_of(result_.lost.begin(), result_.lost.end(), [number](const auto& range) {
      return range.first <= number && number <= range.last;
    });
  }

  fs::path directory_;
  instant now_;
  store_repair result_;
  std::optional<commit_mark> mark_;
  std::optional<rocksdb_view> whole_;
  bool lacks_log_ = false;
  std::int64_t newest_ = 0;
};

} // namespace

store_repair repair_rocksdb_store(const fs::path& directory, instant now) {
  std::error_code unknown;
  if (!fs::is_directory(directory, unknown))
    throw failure(error_code::not_found,
                  fmt::format("store {}: expected a data directory: {}", directory.string(),
                              unknown ? unknown.message() : "it is something else"));
  const directory_lock alone{directory};
  return repair{directory, now}.perform();
}

} // namespace backtest
