"""Language data: documents, tokenizers, token shards on the disk, and the samples that are cut from them."""

from lionkit_lab.data.language._articles import Articles as Articles
from lionkit_lab.data.language._corpus import Corpus as Corpus
from lionkit_lab.data.language._corpus import Part as Part
from lionkit_lab.data.language._corpus import Passages as Passages
from lionkit_lab.data.language._corpus import split as split
from lionkit_lab.data.language._hub_text import HubText as HubText
from lionkit_lab.data.language._load import load_corpora as load_corpora
from lionkit_lab.data.language._load import load_test as load_test
from lionkit_lab.data.language._masks import IGNORED as IGNORED
from lionkit_lab.data.language._masks import mask_tokens as mask_tokens
from lionkit_lab.data.language._named import check_tokenizer_name as check_tokenizer_name
from lionkit_lab.data.language._named import named_tokenizer as named_tokenizer
from lionkit_lab.data.language._parquet import Parquet as Parquet
from lionkit_lab.data.language._published import bert_tokenizer as bert_tokenizer
from lionkit_lab.data.language._published import gpt2_tokenizer as gpt2_tokenizer
from lionkit_lab.data.language._sentence_pairs import Pair as Pair
from lionkit_lab.data.language._sentence_pairs import SentencePairs as SentencePairs
from lionkit_lab.data.language._shards import TokenShards as TokenShards
from lionkit_lab.data.language._text_files import TextFiles as TextFiles
from lionkit_lab.data.language._tokenise import tokenise as tokenise
from lionkit_lab.data.language._tokenizer import Special as Special
from lionkit_lab.data.language._tokenizer import Tokenizer as Tokenizer
from lionkit_lab.data.language._tokenizer import load_tokenizer as load_tokenizer
from lionkit_lab.data.language._trained import character_tokenizer as character_tokenizer
from lionkit_lab.data.language._trained import train_bpe as train_bpe
from lionkit_lab.data.language._windows import Windows as Windows
